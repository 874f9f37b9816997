// Adding a strategy: its own file, one line here, one in ts/strategies.ts.
#include "alloc/strategies.h"

#include "alloc/best_fit.h"
#include "alloc/buddy.h"
#include "alloc/first_fit.h"
#include "alloc/slab.h"
#include "alloc/stack.h"

namespace nautilus {
namespace {

template <Strategy S>
std::unique_ptr<Arena> make(const LedgerMemory& ledger, Geometry geometry) {
  return std::make_unique<ArenaOf<S>>(ledger, geometry);
}

constexpr StrategyEntry kStrategies[] = {
    {"slab", "Fixed sizes from slabs, without a search; what is larger than a slab's largest size gets ranges of its own.",
     make<Slab>},
    {"buddy", "Powers of two, split and merged; every step is bounded by the number of sizes.", make<Buddy>},
    {"first_fit", "Lowest address that fits; frees merge with their neighbours.", make<FirstFit>},
    {"best_fit", "A smallest range that is enough; frees merge with their neighbours.", make<BestFit>},
    {"stack", "Newest block is freed first; marks free everything since at once; O(1).", make<Stack>},
};

}  // namespace

std::span<const StrategyEntry> strategies() noexcept { return kStrategies; }

const StrategyEntry* find_strategy(std::string_view name) noexcept {
  for (const StrategyEntry& entry : kStrategies) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace nautilus
