// FIRST_FIT: the lowest address that fits, so that long-lived blocks gather at the front and the tail of a
// segment stays free to be given back. Blocks can also be put at a given offset, to rebuild after a restart.
#pragma once

#include "alloc/extent_tree.h"
#include "alloc/placement.h"

namespace nautilus {

class FirstFit final : public Strategy {
 public:
  FirstFit(uint64_t capacity, uint64_t granule);

  void reserve(size_t live_blocks, uint64_t alignment) override;
  std::optional<Placement> allocate(uint64_t bytes, uint64_t alignment, uint64_t handle) noexcept override;
  bool release(const Placement& placement, uint64_t handle) noexcept override;
  uint64_t free_bytes() const noexcept override { return free_bytes_; }
  uint64_t largest_free_bytes() const noexcept override { return extents_.largest_bytes(); }
  bool can_place_at() const noexcept override { return true; }
  std::optional<Placement> allocate_at(uint64_t offset, uint64_t bytes) noexcept override;

  const ExtentTree& extents() const noexcept { return extents_; }

 private:
  void take(const Extent& extent, const Placement& placement) noexcept;

  ExtentTree extents_;
  uint64_t free_bytes_;
};

}  // namespace nautilus
