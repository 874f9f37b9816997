// What is done once in the life of an arena, and reading its figures. Times are of this thread's work, with the system
// calls and page faults that belong to it, and without the start of a process.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>

#if defined(__GLIBC__)  // after a standard header, which defines it
#include <malloc.h>
#endif

#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr int kTimes = 15;
constexpr uint64_t kSegmentBytes = uint64_t{1} << 30;
constexpr uint64_t kGranule = 64;

double milliseconds_since(uint64_t started) { return static_cast<double>(worked_nanoseconds() - started) * 1e-6; }

template <typename Body>
double median_of(int times, Body body) {
  std::vector<double> samples;
  for (int at = 0; at < times; ++at) samples.push_back(body());
  return quantile(samples, 0.5);
}

// From nothing to an arena that gives out its first block: two objects of shared memory created, sized and mapped
// (segment and ledger), the ledger initialised, the arena made, a block allocated.
template <Strategy S>
void measure_create(Setting& setting, const std::string& who) {
  const double took = median_of(kTimes, [&] {
    const uint64_t started = worked_nanoseconds();
    const Mapping segment = Mapping::shared(kSegmentBytes);
    ArenaHeap<S> heap({kSegmentBytes, kGranule});
    if (heap.allocate(4096) == 0) refuse(who, 4096);
    return milliseconds_since(started);
  });
  setting.report.measured("create a segment of 1 GiB", who, took, "ms");
}

// This program again, with both descriptors handed down; it times itself.
void measure_attach(Setting& setting) {
  const Mapping segment = Mapping::shared(kSegmentBytes);
  ArenaHeap<Slab> heap({kSegmentBytes, kGranule});
  uint64_t handle = 0;
  for (int at = 0; at < 100'000; ++at) handle = heap.allocate(4096);
  const Mapping& ledger = heap.ledger();
  const std::string command = "exec '" + setting.program + "' --attach " + std::to_string(ledger.descriptor()) + " " +
                              std::to_string(ledger.bytes()) + " " + std::to_string(segment.descriptor()) + " " +
                              std::to_string(segment.bytes()) + " " + std::to_string(handle);
  const double took = median_of(kTimes, [&] {
    std::FILE* const child = popen(command.c_str(), "r");
    double milliseconds = -1;
    const bool answered = child != nullptr && std::fscanf(child, "%lf", &milliseconds) == 1;
    if (child == nullptr || pclose(child) != 0 || !answered) throw std::runtime_error("the attaching process failed");
    return milliseconds;
  });
  setting.report.measured("attach in a new process to 1 GiB, 100,000 live", "SLAB", took, "ms");
}

// A plain call of the figures, and the same when sixty attachments are to be added up.
void measure_figures(Setting& setting) {
  ArenaHeap<Slab> heap({kSegmentBytes, kGranule});
  for (int at = 0; at < 1000; ++at) heap.allocate(4096);
  constexpr int kCalls = 100'000;
  uint64_t seen = 0;
  const auto call = [&] {
    const uint64_t started = worked_nanoseconds();
    for (int at = 0; at < kCalls; ++at) seen += heap.arena().figures().live_blocks;
    return static_cast<double>(worked_nanoseconds() - started) / kCalls;
  };
  setting.report.measured("stats snapshot", "figures()", median_of(kTimes, call), "ns");
  heap.arena().header().attachments_used = kMaxAttachments;
  setting.report.measured("stats snapshot, 60 attachments", "figures()", median_of(kTimes, call), "ns");
  if (seen != uint64_t{2} * kTimes * kCalls * 1000) throw std::runtime_error("figures() miscounted the live blocks");
}

// Private and not shared memory that this process has in RAM; nothing where the system does not tell.
std::optional<uint64_t> private_resident_bytes() {
#if defined(__GLIBC__)
  malloc_trim(0);  // what is free inside the heap counts for nobody
#endif
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  if (!(file >> size >> resident >> shared)) return std::nullopt;
  return (resident - shared) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

template <Strategy S>
constexpr bool kMayFreeAnyBlock = requires(S s) { s.newest(); } == false;

// Live blocks whose neighbours came and went, as in an arena that has been in use: every second one was freed and its
// room, or another, taken again.
template <Strategy S>
void fill(ArenaHeap<S>& heap, const std::string& who, uint32_t blocks, std::vector<uint64_t>& tokens) {
  const std::vector<uint64_t> sizes = draw_sizes(kSmall, 17);
  const auto come = [&](uint32_t at, uint32_t size) {
    tokens[at] = heap.allocate(sizes[size % kDrawn]);
    if (tokens[at] == 0) refuse(who, sizes[size % kDrawn]);
  };
  for (uint32_t at = 0; at < blocks; ++at) come(at, at);
  if constexpr (kMayFreeAnyBlock<S>) {
    for (uint32_t at = 0; at < blocks; at += 2) heap.free(tokens[at]);
    for (uint32_t at = 0; at < blocks; at += 2) come(at, at + 1);
  }
}

// Recovery: a new arena in the ledger that the former one left, every published block adopted.
template <Strategy S>
void measure_recovery(Setting& setting, const std::string& who) {
  const uint32_t blocks = setting.many_blocks;
  const Geometry geometry{power_of_two(2 * kSmall.mean() * blocks), kSmall.granule};
  std::vector<uint64_t> tokens(blocks);
  std::string live(", ");
  live.append(grouped(blocks)).append(" live");
  const std::optional<uint64_t> before = private_resident_bytes();
  ArenaHeap<S> heap(geometry);
  fill(heap, who, blocks, tokens);
  if (before.has_value()) {
    const auto grown = static_cast<double>(*private_resident_bytes()) - static_cast<double>(*before);
    setting.report.measured("private memory for a block" + live, who, grown / blocks, "B");
  }
  setting.report.measured("ledger for a block, header not counted" + live, who,
                          static_cast<double>(heap.arena().slots().used()) * sizeof(Slot) / blocks, "B");
  const LedgerMemory memory{heap.ledger().base(), heap.ledger().bytes()};
  const double took = median_of(5, [&] {
    const uint64_t started = worked_nanoseconds();
    ArenaOf<S> arena(memory, geometry);
    if (!arena.recover()) throw std::runtime_error(who + " does not recover its own ledger");
    const double milliseconds = milliseconds_since(started);
    if (arena.figures().live_blocks != blocks) throw std::runtime_error(who + " recovered another number of blocks");
    return milliseconds;
  });
  setting.report.measured("recovery" + live, who, took, "ms");
}

}  // namespace

int attach_and_report(int ledger_descriptor, uint64_t ledger_bytes, int segment_descriptor, uint64_t segment_bytes,
                      uint64_t handle) {
  const uint64_t started = worked_nanoseconds();
  const Mapping ledger = Mapping::of(ledger_descriptor, ledger_bytes);
  const Mapping segment = Mapping::of(segment_descriptor, segment_bytes);
  const std::optional<LedgerFigures> figures = read_ledger(ledger.base(), ledger.bytes());
  if (!figures.has_value()) return 1;
  const SlotTable slots(LedgerMemory{ledger.base(), ledger.bytes()});
  const uint32_t slot = slots.find(handle);
  if (slot == kNoSlot) return 1;
  // The first byte of the block, as a reader would touch it.
  const auto byte = std::to_integer<int>(*static_cast<const volatile std::byte*>(segment.base() + slots[slot].offset));
  const double took = milliseconds_since(started);
  if (byte != 0 || figures->arena.live_blocks == 0) return 1;
  std::printf("%.6f\n", took);
  return 0;
}

void measure_lifetime(Setting& setting) {
  measure_figures(setting);
  measure_create<Slab>(setting, "SLAB");
  measure_create<Buddy>(setting, "BUDDY");
  measure_create<FirstFit>(setting, "FIRST_FIT");
  measure_create<BestFit>(setting, "BEST_FIT");
  measure_create<Stack>(setting, "STACK");
  measure_attach(setting);
  measure_recovery<Slab>(setting, "SLAB");
  measure_recovery<Buddy>(setting, "BUDDY");
  measure_recovery<FirstFit>(setting, "FIRST_FIT");
  measure_recovery<BestFit>(setting, "BEST_FIT");
  measure_recovery<Stack>(setting, "STACK");
}

}  // namespace nautilus::bench
