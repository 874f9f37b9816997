// Recorded programs, replayed through a general-purpose pool (SLAB, granule 8) and through its peers. What a program
// never freed is freed after each turn, outside the time, so that every turn finds the heap as the first one did.
#include "boost_heap.h"
#include "sections.h"

namespace nautilus::bench {
namespace {

template <typename Heap>
Contender replaying(const std::string& who, std::shared_ptr<Heap> heap, const Trace& trace) {
  auto tokens = std::make_shared<std::vector<uint64_t>>(trace.blocks);
  return {who, [who, heap, tokens, &trace] {
            uint64_t* const token = tokens->data();
            uint64_t took = 0;
            // The caches belong to whoever ran before: the first pass of a turn does not count.
            for (int pass = 0; pass < 2; ++pass) {
              const uint64_t started = worked_nanoseconds();
              for (const TraceEvent& event : trace.events) {
                if (event.bytes == 0) {
                  heap->free(token[event.block]);
                } else if ((token[event.block] = heap->allocate(event.bytes)) == 0) {
                  refuse(who, event.bytes);
                }
              }
              took = worked_nanoseconds() - started;
              for (const uint32_t block : trace.left) heap->free(token[block]);
            }
            return static_cast<double>(took) / static_cast<double>(trace.events.size());
          }};
}

// Room enough for every strategy; a granule of 8 bytes, as malloc has it on most machines at least, and larger ones
// only for a trace that needs more than 2^32 of them.
Geometry geometry_for(const Trace& trace) {
  const uint64_t capacity = power_of_two(std::max(4.0 * static_cast<double>(trace.peak_live_bytes), 0x1p26));
  return {capacity, std::max<uint64_t>(8, capacity >> 31)};
}

// High water: the highest end of any room ever, against the peak of live bytes as asked for. Fragmentation as SPEC P4
// has it, at the event where live bytes peak: 1 - live bytes / bytes of the segment, which is as small as it could be
// until then: up to the highest end so far, in whole pages of 4 KiB.
template <Strategy S>
void measure_space(Setting& setting, const Trace& trace, const std::string& who) {
  ArenaHeap<S> heap(geometry_for(trace));
  std::vector<uint64_t> tokens(trace.blocks);
  uint64_t highest = 0;
  uint64_t highest_at_peak = 0;
  for (size_t at = 0; at < trace.events.size(); ++at) {
    const TraceEvent& event = trace.events[at];
    if (event.bytes == 0) {
      heap.free(tokens[event.block]);
    } else {
      const uint64_t token = tokens[event.block] = heap.allocate(event.bytes);
      if (token == 0) refuse(who, event.bytes);
      highest = std::max(highest, heap.end_of(token));
    }
    if (at == trace.peak_event) highest_at_peak = highest;
  }
  const auto live = static_cast<double>(trace.peak_live_bytes);
  setting.report.measured("high water / peak of live bytes, " + trace.name, who, static_cast<double>(highest) / live, "×");
  setting.report.measured("fragmentation (P4) at the peak, " + trace.name, who,
                          100 * (1 - live / static_cast<double>(align_up(highest_at_peak, 4096))), "%");
}

void measure_trace(Setting& setting, const Trace& trace) {
  const Geometry geometry = geometry_for(trace);
  const auto pool = std::make_shared<ArenaHeap<Slab>>(geometry);
  const auto other = std::make_shared<ArenaHeap<Slab>>(geometry);
  std::vector<Contender> contenders{
      replaying("SLAB", pool, trace),
      replaying("SLAB by its virtual face", std::make_shared<VirtualHeap>(other->arena()), trace),
      replaying("BUDDY", std::make_shared<ArenaHeap<Buddy>>(geometry), trace),
      replaying("FIRST_FIT", std::make_shared<ArenaHeap<FirstFit>>(geometry), trace),
      replaying("BEST_FIT", std::make_shared<ArenaHeap<BestFit>>(geometry), trace),
  };
  for (const Peer& peer : setting.peers) {
    contenders.push_back(replaying(peer.name, std::make_shared<PeerHeap>(peer), trace));
  }
#if NAUTILUS_BENCH_HAS_BOOST
  contenders.push_back(
      replaying("Boost.Interprocess", std::make_shared<LockingBoostHeap>(geometry.capacity), trace));
  contenders.push_back(
      replaying("Boost.Interprocess without its lock", std::make_shared<LocklessBoostHeap>(geometry.capacity), trace));
#endif
  race(setting, "replay, an event, " + trace.name, contenders);
  measure_space<Slab>(setting, trace, "SLAB");
  measure_space<Buddy>(setting, trace, "BUDDY");
  measure_space<FirstFit>(setting, trace, "FIRST_FIT");
  measure_space<BestFit>(setting, trace, "BEST_FIT");
}

}  // namespace

void measure_replay(Setting& setting, const std::vector<Trace>& traces) {
  for (const Trace& trace : traces) measure_trace(setting, trace);
}

}  // namespace nautilus::bench
