// The registry of strategies: one line each. ts/strategies.ts repeats names and summaries for configuration
// and documentation; a test compares the two.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "alloc/arena.h"

namespace nautilus {

struct StrategyEntry {
  std::string_view name;
  std::string_view summary;
  // The ledger is initialised for the geometry. May throw std::bad_alloc.
  std::unique_ptr<Arena> (*make)(const LedgerMemory& ledger, Geometry geometry);
};

std::span<const StrategyEntry> strategies() noexcept;
const StrategyEntry* find_strategy(std::string_view name) noexcept;

}  // namespace nautilus
