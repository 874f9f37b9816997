// An arena: a strategy that finds room, a table that names the blocks, and the figures of both. It holds no
// pointer into the segment, takes its tag from outside and does no I/O.
#pragma once

#include <memory>

#include "alloc/handle_table.h"
#include "alloc/ledger.h"
#include "alloc/placement.h"

namespace nautilus {

enum class FreeOutcome : int { kFreed = 0, kUnknownBlock = 1, kOrderViolation = 2 };

class Arena {
 public:
  static constexpr uint64_t kMaxAlignment = 65536;

  // ledger_page: null or an initialised ledger that outlives the arena.
  Arena(std::unique_ptr<Strategy> strategy, uint64_t granule, uint8_t tag, std::byte* ledger_page);

  // 0 when nothing fits. bytes from 1 to 2^53 - 1, alignment a power of two up to kMaxAlignment. May throw
  // std::bad_alloc, and is then as before.
  uint64_t allocate(uint64_t bytes, uint64_t alignment);
  bool can_place_at() const noexcept { return strategy_->can_place_at(); }
  // 0 when any of the range is taken or outside; offset must be a multiple of the granule.
  uint64_t allocate_at(uint64_t offset, uint64_t bytes);
  const Block* find(uint64_t handle) const noexcept { return blocks_.find(handle); }
  FreeOutcome free(uint64_t handle) noexcept;

  // Null for strategies without order.
  StackOrder* stack_order() noexcept { return strategy_->stack_order(); }
  // Frees everything after the mark; only with a stack order.
  FreeOutcome rewind(uint64_t mark) noexcept;

  uint64_t granule() const noexcept { return granule_; }
  const ArenaFigures& figures() const noexcept { return figures_; }
  uint64_t free_bytes() const noexcept { return strategy_->free_bytes(); }
  uint64_t largest_free_bytes() const noexcept { return strategy_->largest_free_bytes(); }

 private:
  uint64_t record(const std::optional<Placement>& placement, uint64_t length) noexcept;
  FreeOutcome release(uint64_t handle) noexcept;
  void publish() noexcept;

  std::unique_ptr<Strategy> strategy_;
  uint64_t granule_;
  HandleTable blocks_;
  ArenaFigures figures_;
  std::byte* ledger_page_;
};

}  // namespace nautilus
