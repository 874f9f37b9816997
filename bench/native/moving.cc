// How fast scattered blocks become one, how long a pass of the default budget keeps the arena, and what moving leaves
// unused. Compaction: 256 MiB of random blocks, every other one freed, then passes until nothing moves; beside it the
// same blocks by memcpy into other memory, and the ratio of the two bandwidths. Both in time of this thread's own work.
#include "alloc/movable.h"

#include <cstring>

#include "mapping.h"
#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr uint64_t kCapacity = uint64_t{256} << 20;
constexpr uint64_t kGranule = 64;
constexpr SizeRange kMoved{"4 KiB to 1 MiB", 4096, 1 << 20, kGranule};
constexpr SizeRange kFilled{"256 B to 64 KiB", 256, 64 << 10, kGranule};

template <Strategy S>
class MovingPool {
 public:
  MovingPool(uint64_t capacity, std::byte* payload)
      : ledger_map_(Mapping::anonymous(ledger_bytes_for(capacity, kGranule))),
        ledger_{ledger_map_.base(), ledger_map_.bytes()} {
    initialise_ledger(ledger_, capacity, kGranule, 1);
    arena_ = std::make_unique<ArenaOf<S>>(ledger_, Geometry{capacity, kGranule});
    movable_ = make_movable(*arena_, ledger_, payload);
  }
  ArenaOf<S>& arena() noexcept { return *arena_; }
  MovableArena& movable() noexcept { return *movable_; }

 private:
  Mapping ledger_map_;
  LedgerMemory ledger_;
  std::unique_ptr<ArenaOf<S>> arena_;
  std::unique_ptr<MovableArena> movable_;
};

struct Segments {
  Mapping from = Mapping::anonymous(kCapacity);
  Mapping to = Mapping::anonymous(kCapacity);
};

template <Strategy S>
void measure_compaction(Setting& setting, const std::string& who, const Segments& memory) {
  double moving = 0;  // bytes per nanosecond, of the best repetition; likewise copying
  double copying = 0;
  std::vector<uint64_t> passes;
  for (int repetition = 0; repetition < setting.repetitions; ++repetition) {
    MovingPool<S> pool(kCapacity, memory.from.base());
    Random random(static_cast<uint64_t>(repetition) + 1);
    std::vector<std::pair<uint64_t, uint64_t>> blocks;
    for (;;) {
      const uint64_t bytes = kMoved.draw(random);
      const uint64_t handle = pool.arena().allocate(bytes, kGranule);
      if (handle == 0) break;
      blocks.push_back({handle, bytes});
    }
    std::vector<uint64_t> kept;
    for (const auto& [handle, bytes] : blocks) {
      if (random.below(2) == 0) {
        pool.movable().free(handle);
      } else {
        kept.push_back(bytes);
      }
    }
    uint64_t moved = 0;
    const uint64_t began = worked_nanoseconds();
    for (bool more = true; more;) {
      const uint64_t pass_began = worked_nanoseconds();
      const PassReport report = pool.movable().pass({});
      passes.push_back(worked_nanoseconds() - pass_began);
      moved += report.moved_bytes;
      more = report.more;
    }
    moving = std::max(moving, static_cast<double>(moved) / static_cast<double>(worked_nanoseconds() - began));
    uint64_t copied = 0;
    const uint64_t copy_began = worked_nanoseconds();
    for (const uint64_t bytes : kept) {
      std::memcpy(memory.to.base() + copied, memory.from.base() + copied, bytes);
      copied += bytes;
    }
    copying = std::max(copying, static_cast<double>(copied) / static_cast<double>(worked_nanoseconds() - copy_began));
  }
  setting.report.measured("compaction, of the bandwidth of memcpy, 4 KiB to 1 MiB", who, 100 * moving / copying, "%");
  setting.report.measured("compaction, a pass, p50", who, static_cast<double>(quantile(passes, 0.5)), "ns");
  setting.report.measured("compaction, a pass, p99.9", who, static_cast<double>(quantile(passes, 0.999)), "ns");
}

// Three blocks come for each two that go, until one is refused although others may move.
template <Strategy S>
void measure_what_is_left(Setting& setting, const std::string& who, const Segments& memory) {
  constexpr uint64_t kSeeds = 10;
  constexpr uint64_t kFilledCapacity = kCapacity / 8;
  double utilisation = 0;
  uint64_t justified = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    MovingPool<S> pool(kFilledCapacity, memory.from.base());
    Random random(seed);
    std::vector<uint64_t> live;
    for (;;) {
      if (!live.empty() && random.below(5) < 2) {
        uint64_t& gone = live[random.below(static_cast<uint32_t>(live.size()))];
        pool.movable().free(gone);
        gone = live.back();
        live.pop_back();
        continue;
      }
      const uint64_t bytes = kFilled.draw(random);
      const uint64_t handle = pool.movable().allocate(bytes, kGranule);
      if (handle == 0) {
        if (pool.arena().free_bytes() < align_up(bytes, kGranule)) ++justified;
        break;
      }
      live.push_back(handle);
    }
    utilisation += 1 - static_cast<double>(pool.arena().free_bytes()) / static_cast<double>(kFilledCapacity);
  }
  setting.report.measured("utilisation at first failure with moving, 256 B to 64 KiB, mean", who,
                          100 * utilisation / kSeeds, "%");
  setting.report.measured("refusals with moving where too few bytes were free", who,
                          100 * static_cast<double>(justified) / kSeeds, "%");
}

}  // namespace

void measure_moving(Setting& setting) {
  Segments memory;
  // Memory that nobody wrote would be read from one page of zeros.
  std::memset(memory.from.base(), 1, kCapacity);
  std::memset(memory.to.base(), 1, kCapacity);
  measure_compaction<FirstFit>(setting, "FIRST_FIT", memory);
  measure_compaction<BestFit>(setting, "BEST_FIT", memory);
  measure_what_is_left<FirstFit>(setting, "FIRST_FIT", memory);
  measure_what_is_left<BestFit>(setting, "BEST_FIT", memory);
}

}  // namespace nautilus::bench
