// STACK: a pointer that goes up and down. The newest block is freed first; a mark returns to an earlier state
// in one step. Anything else is refused, because it would be another strategy under this name.
#pragma once

#include <vector>

#include "alloc/placement.h"

namespace nautilus {

class Stack final : public Strategy, public StackOrder {
 public:
  Stack(uint64_t capacity, uint64_t granule) : capacity_(capacity), granule_(granule) {}

  void reserve(size_t live_blocks, uint64_t alignment) override;
  std::optional<Placement> allocate(uint64_t bytes, uint64_t alignment, uint64_t handle) noexcept override;
  bool release(const Placement& placement, uint64_t handle) noexcept override;
  uint64_t free_bytes() const noexcept override { return capacity_ - top_; }
  uint64_t largest_free_bytes() const noexcept override { return capacity_ - top_; }
  StackOrder* stack_order() noexcept override { return this; }

  uint64_t mark() const noexcept override { return blocks_.empty() ? 0 : blocks_.back().serial; }
  bool holds(uint64_t mark) const noexcept override;
  std::optional<uint64_t> newest_after(uint64_t mark) const noexcept override;

 private:
  struct Block {
    uint64_t handle;
    uint64_t previous_top;  // below the padding that the block's alignment cost
    uint64_t serial;        // grows with every allocation, so a mark cannot mean a later block
  };

  uint64_t capacity_;
  uint64_t granule_;
  uint64_t top_ = 0;
  uint64_t last_serial_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace nautilus
