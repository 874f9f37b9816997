// The ledger page: figures of one arena, written by its owner and read by the agent at any moment, even of a
// dead owner. Each figure is one atomic word; together they are not a snapshot. Offsets only, no pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace nautilus {

struct ArenaFigures {
  uint64_t live_blocks = 0;
  uint64_t live_bytes = 0;
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t failures = 0;
  uint64_t high_water_bytes = 0;
};

struct LedgerFigures {
  uint64_t segment_bytes = 0;
  ArenaFigures arena;
};

constexpr size_t kLedgerBytes = 4096;

// The page must be aligned to 8 and kLedgerBytes long. Magic is written last, with release order.
void initialise_ledger(std::byte* page, uint64_t segment_bytes) noexcept;
void write_ledger(std::byte* page, const ArenaFigures& figures) noexcept;
// Nothing when magic or version is foreign. Figures are clamped to 2^53 - 1; they may still be nonsense.
std::optional<LedgerFigures> read_ledger(const std::byte* page) noexcept;

}  // namespace nautilus
