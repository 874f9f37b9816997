// Pairs of an allocation and a free, the mean of many: hot, where the same block goes and comes, and with 10,000
// blocks live, of which a random one is replaced. Reading the drawn numbers is part of every contender's time.
#include "boost_heap.h"
#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr uint32_t kLive = 10'000;
constexpr uint32_t kPairs = 200'000;
constexpr uint32_t kReplacements = 50'000;
constexpr uint64_t kFixedBytes = 64;

template <typename Heap>
Contender hot(const std::string& who, std::shared_ptr<Heap> heap) {
  return {who, [who, heap] {
            const uint64_t started = worked_nanoseconds();
            for (uint32_t at = 0; at < kPairs; ++at) {
              const uint64_t token = heap->allocate(kFixedBytes);
              if (token == 0) refuse(who, kFixedBytes);
              heap->free(token);
            }
            return static_cast<double>(worked_nanoseconds() - started) / kPairs;
          }};
}

template <typename Heap>
Contender replacing(const std::string& who, std::shared_ptr<Heap> heap, const std::vector<uint64_t>& sizes) {
  auto blocks = std::make_shared<Replacement<Heap>>(who, std::move(heap), sizes, kLive);
  return {who, [blocks] { return blocks->run(kReplacements); }};
}

void measure_slab(Setting& setting) {
  const Geometry geometry{64 << 20, 64};
  const auto slab = std::make_shared<ArenaHeap<Slab>>(geometry);
  const auto other = std::make_shared<ArenaHeap<Slab>>(geometry);
  const auto by_name = std::make_shared<VirtualHeap>(other->arena());
  const std::vector<uint64_t> sizes(kDrawn, kFixedBytes);
  {
    std::vector<Contender> contenders{hot("SLAB", slab), hot("SLAB by its virtual face", by_name)};
    for (const Peer& peer : setting.peers) contenders.push_back(hot(peer.name, std::make_shared<PeerHeap>(peer)));
    race(setting, "pair, 64 B, hot", contenders);
  }
  std::vector<Contender> contenders{replacing("SLAB", slab, sizes),
                                    replacing("SLAB by its virtual face", by_name, sizes)};
  for (const Peer& peer : setting.peers) {
    contenders.push_back(replacing(peer.name, std::make_shared<PeerHeap>(peer), sizes));
  }
  race(setting, "pair, 64 B, 10,000 live", contenders);
}

// A block on top of 10,000 others comes and goes; and a hundred come, then go in reverse.
void measure_stack(Setting& setting) {
  const auto heap = std::make_shared<ArenaHeap<Stack>>(Geometry{64 << 20, 64});
  const std::vector<uint64_t> sizes = draw_sizes(kSmall, 3);
  for (uint32_t at = 0; at < kLive; ++at) {
    if (heap->allocate(sizes[at]) == 0) refuse("STACK", sizes[at]);
  }
  std::vector<Contender> one{{"STACK", [&] {
                                const uint64_t started = worked_nanoseconds();
                                for (uint32_t at = 0; at < kPairs; ++at) {
                                  const uint64_t token = heap->allocate(sizes[at & (kDrawn - 1)]);
                                  if (token == 0) refuse("STACK", sizes[at & (kDrawn - 1)]);
                                  heap->free(token);
                                }
                                return static_cast<double>(worked_nanoseconds() - started) / kPairs;
                              }}};
  race(setting, "pair, newest block", one);
  std::vector<uint64_t> tokens(100);
  std::vector<Contender> many{{"STACK", [&] {
                                 const uint64_t started = worked_nanoseconds();
                                 for (uint32_t round = 0; round < kPairs / 100; ++round) {
                                   for (uint32_t at = 0; at < 100; ++at) {
                                     tokens[at] = heap->allocate(sizes[round + at]);
                                     if (tokens[at] == 0) refuse("STACK", sizes[round + at]);
                                   }
                                   for (uint32_t at = 100; at-- > 0;) heap->free(tokens[at]);
                                 }
                                 return static_cast<double>(worked_nanoseconds() - started) / kPairs;
                               }}};
  race(setting, "pair, 100 up, 100 down", many);
}

// Arenas have twice the room that the blocks take on average, a peer takes what it likes. Boost's memory is as large.
void measure_sizes(Setting& setting, const SizeRange& range) {
  const std::vector<uint64_t> sizes = draw_sizes(range, 5);
  const Geometry geometry{power_of_two(2 * range.mean() * kLive), range.granule};
  std::vector<Contender> contenders{
      replacing("BUDDY", std::make_shared<ArenaHeap<Buddy>>(geometry), sizes),
      replacing("FIRST_FIT", std::make_shared<ArenaHeap<FirstFit>>(geometry), sizes),
      replacing("BEST_FIT", std::make_shared<ArenaHeap<BestFit>>(geometry), sizes),
      replacing("SLAB", std::make_shared<ArenaHeap<Slab>>(geometry), sizes),
  };
  for (const Peer& peer : setting.peers) {
    contenders.push_back(replacing(peer.name, std::make_shared<PeerHeap>(peer), sizes));
  }
#if NAUTILUS_BENCH_HAS_BOOST
  contenders.push_back(
      replacing("Boost.Interprocess", std::make_shared<LockingBoostHeap>(geometry.capacity), sizes));
#endif
  race(setting, std::string("pair, ") + range.name + ", 10,000 live", contenders);
}

}  // namespace

void measure_pairs(Setting& setting) {
  measure_slab(setting);
  measure_stack(setting);
  for (const SizeRange& range : kSizeRanges) measure_sizes(setting, range);
}

}  // namespace nautilus::bench
