// Adding a strategy: its own file, one line here, one in ts/strategies.ts.
#include "alloc/strategies.h"

#include "alloc/buddy.h"
#include "alloc/first_fit.h"
#include "alloc/stack.h"

namespace nautilus {
namespace {

template <typename T>
std::unique_ptr<Strategy> make(uint64_t capacity, uint64_t granule) {
  return std::make_unique<T>(capacity, granule);
}

constexpr StrategyEntry kStrategies[] = {
    {"first_fit", "Lowest address that fits, found in O(log n); frees merge with their neighbours.",
     make<FirstFit>},
    {"stack", "Newest block is freed first; marks free everything since at once; O(1).", make<Stack>},
    {"buddy", "Powers of two, split and merged; every step is bounded by the number of sizes.", make<Buddy>},
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
