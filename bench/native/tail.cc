// Single operations with a million blocks of 64 B to 4 KiB live, each timed by the counter of the processor, whose own
// cost is taken off. One after another and not by turns: a peer's million blocks go before the next one's come.
#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr int kRounds = 3;

std::string title(const Setting& setting, const char* figure, const char* operation) {
  return std::string(figure) + " of " + operation + ", 64 B to 4 KiB, " + grouped(setting.many_blocks) + " live";
}

// Per round both quantiles, of the rounds the median.
class Tail {
 public:
  void add(const Ticks& ticks, std::vector<uint64_t>& samples) {
    middle_.push_back(ticks.nanoseconds(quantile(samples, 0.5)));
    slow_.push_back(ticks.nanoseconds(quantile(samples, 0.999)));
  }
  void report(Setting& setting, const std::string& who, const char* operation) {
    setting.report.measured(title(setting, "p50", operation), who, quantile(middle_, 0.5), "ns");
    setting.report.measured(title(setting, "p99.9", operation), who, quantile(slow_, 0.5), "ns");
  }

 private:
  std::vector<double> middle_;
  std::vector<double> slow_;
};

template <typename Heap>
void measure_replacement(Setting& setting, const std::string& who, std::shared_ptr<Heap> heap) {
  Replacement<Heap> blocks(who, std::move(heap), draw_sizes(kSmall, 11), setting.many_blocks);
  std::vector<uint64_t> frees(setting.many_blocks);
  std::vector<uint64_t> allocations(setting.many_blocks);
  blocks.sample(setting.ticks, frees, allocations);
  Tail free_tail;
  Tail allocation_tail;
  for (int round = 0; round < kRounds; ++round) {
    blocks.sample(setting.ticks, frees, allocations);
    free_tail.add(setting.ticks, frees);
    allocation_tail.add(setting.ticks, allocations);
  }
  allocation_tail.report(setting, who, "an allocation");
  free_tail.report(setting, who, "a free");
}

template <Strategy S>
void measure_arena(Setting& setting, const std::string& who) {
  const Geometry geometry{power_of_two(2 * kSmall.mean() * setting.many_blocks), kSmall.granule};
  measure_replacement(setting, who, std::make_shared<ArenaHeap<S>>(geometry));
}

// A stack has no random block to free: it goes down by up to a thousand and up again to where it was.
void measure_stack(Setting& setting) {
  const Geometry geometry{power_of_two(2 * kSmall.mean() * setting.many_blocks), kSmall.granule};
  ArenaHeap<Stack> heap(geometry);
  const std::vector<uint64_t> sizes = draw_sizes(kSmall, 11);
  std::vector<uint64_t> live;
  live.reserve(setting.many_blocks);
  for (uint32_t at = 0; at < setting.many_blocks; ++at) live.push_back(heap.allocate(sizes[at % kDrawn]));
  std::vector<uint64_t> frees(setting.many_blocks);
  std::vector<uint64_t> allocations(setting.many_blocks);
  Tail free_tail;
  Tail allocation_tail;
  Random random(13);
  const auto less = [&](uint64_t ticks) { return ticks - std::min(ticks, setting.ticks.overhead); };
  for (int round = 0; round <= kRounds; ++round) {
    for (uint32_t at = 0; at < setting.many_blocks;) {
      const uint32_t depth = std::min(1 + random.below(1000), setting.many_blocks - at);
      for (uint32_t step = 0; step < depth; ++step) {
        const uint64_t began = ticks_now();
        heap.free(live.back());
        frees[at + step] = less(ticks_now() - began);
        live.pop_back();
      }
      for (uint32_t step = 0; step < depth; ++step) {
        const uint64_t size = sizes[live.size() % kDrawn];
        const uint64_t began = ticks_now();
        const uint64_t token = heap.allocate(size);
        allocations[at + step] = less(ticks_now() - began);
        if (token == 0) refuse("STACK", size);
        live.push_back(token);
      }
      at += depth;
    }
    if (round == 0) continue;
    free_tail.add(setting.ticks, frees);
    allocation_tail.add(setting.ticks, allocations);
  }
  allocation_tail.report(setting, "STACK", "an allocation");
  free_tail.report(setting, "STACK", "a free");
}

}  // namespace

void measure_tail(Setting& setting) {
  setting.report.measured("two readings, taken off each timed operation", "clock",
                          setting.ticks.nanoseconds(setting.ticks.overhead), "ns");
  measure_arena<Slab>(setting, "SLAB");
  measure_arena<Buddy>(setting, "BUDDY");
  measure_arena<FirstFit>(setting, "FIRST_FIT");
  measure_arena<BestFit>(setting, "BEST_FIT");
  measure_stack(setting);
  for (const Peer& peer : setting.peers) measure_replacement(setting, peer.name, std::make_shared<PeerHeap>(peer));
}

}  // namespace nautilus::bench
