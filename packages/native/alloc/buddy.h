// BUDDY: blocks are powers of two granules; a larger one is split in halves until it fits, and a freed half
// merges with its free twin at once. Every step is bounded by the number of orders, never by blocks.
#pragma once

#include <vector>

#include "alloc/bit_tree.h"
#include "alloc/placement.h"

namespace nautilus {

class Buddy final : public Strategy {
 public:
  // A capacity that is no power of two starts as the powers of two it consists of.
  Buddy(uint64_t capacity, uint64_t granule);

  void reserve(size_t, uint64_t) override {}
  std::optional<Placement> allocate(uint64_t bytes, uint64_t alignment, uint64_t handle) noexcept override;
  bool release(const Placement& placement, uint64_t handle) noexcept override;
  uint64_t free_bytes() const noexcept override { return free_bytes_; }
  uint64_t largest_free_bytes() const noexcept override;

 private:
  uint64_t bytes_of(size_t order) const noexcept { return granule_ << order; }
  void put(uint64_t offset, size_t order) noexcept;
  void take(uint64_t offset, size_t order) noexcept;

  uint64_t granule_;
  uint64_t free_bytes_ = 0;
  uint64_t free_orders_ = 0;    // bit k: a free block of order k exists
  std::vector<BitTree> free_;   // per order: the free blocks, numbered by offset / size
};

}  // namespace nautilus
