// The registry of strategies: one line each. ts/strategies.ts repeats names and summaries for configuration
// and documentation; a test compares the two.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "alloc/placement.h"

namespace nautilus {

struct StrategyEntry {
  std::string_view name;
  std::string_view summary;
  // capacity is a multiple of the granule and at least one; may throw std::bad_alloc.
  std::unique_ptr<Strategy> (*make)(uint64_t capacity, uint64_t granule);
};

std::span<const StrategyEntry> strategies() noexcept;
const StrategyEntry* find_strategy(std::string_view name) noexcept;

}  // namespace nautilus
