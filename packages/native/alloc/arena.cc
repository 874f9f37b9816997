// Order of every change: reserve all metadata (may throw), then change strategy, table and figures (cannot).
#include "alloc/arena.h"

#include <algorithm>
#include <utility>

namespace nautilus {

Arena::Arena(std::unique_ptr<Strategy> strategy, uint64_t granule, uint8_t tag, std::byte* ledger_page)
    : strategy_(std::move(strategy)), granule_(granule), blocks_(tag), ledger_page_(ledger_page) {}

uint64_t Arena::allocate(uint64_t bytes, uint64_t alignment) {
  const uint64_t aligned = std::max(alignment, granule_);
  strategy_->reserve(blocks_.live(), aligned);
  if (!blocks_.reserve()) return record(std::nullopt, bytes);
  return record(strategy_->allocate(align_up(bytes, granule_), aligned, blocks_.next_handle()), bytes);
}

uint64_t Arena::allocate_at(uint64_t offset, uint64_t bytes) {
  strategy_->reserve(blocks_.live(), granule_);
  if (!blocks_.reserve()) return record(std::nullopt, bytes);
  return record(strategy_->allocate_at(offset, align_up(bytes, granule_)), bytes);
}

uint64_t Arena::record(const std::optional<Placement>& placement, uint64_t length) noexcept {
  if (!placement) {
    ++figures_.failures;
    publish();
    return 0;
  }
  ++figures_.allocations;
  ++figures_.live_blocks;
  figures_.live_bytes += placement->bytes;
  figures_.high_water_bytes = std::max(figures_.high_water_bytes, figures_.live_bytes);
  const uint64_t handle = blocks_.insert({*placement, length});
  publish();
  return handle;
}

FreeOutcome Arena::free(uint64_t handle) noexcept {
  const FreeOutcome outcome = release(handle);
  if (outcome == FreeOutcome::kFreed) publish();
  return outcome;
}

FreeOutcome Arena::release(uint64_t handle) noexcept {
  const Block* block = blocks_.find(handle);
  if (block == nullptr) return FreeOutcome::kUnknownBlock;
  const Placement placement = block->placement;
  if (!strategy_->release(placement, handle)) return FreeOutcome::kOrderViolation;
  blocks_.erase(handle);
  ++figures_.frees;
  --figures_.live_blocks;
  figures_.live_bytes -= placement.bytes;
  return FreeOutcome::kFreed;
}

FreeOutcome Arena::rewind(uint64_t mark) noexcept {
  StackOrder* order = strategy_->stack_order();
  if (!order->holds(mark)) return FreeOutcome::kOrderViolation;
  while (const std::optional<uint64_t> newest = order->newest_after(mark)) release(*newest);
  publish();
  return FreeOutcome::kFreed;
}

void Arena::publish() noexcept {
  if (ledger_page_ != nullptr) write_ledger(ledger_page_, figures_);
}

}  // namespace nautilus
