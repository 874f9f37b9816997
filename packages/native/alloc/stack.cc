// A mark is the serial of the block that was newest when it was taken (0 for an empty stack): it stays valid
// exactly as long as that block lives.
#include "alloc/stack.h"

#include <algorithm>

namespace nautilus {

void Stack::reserve(size_t live_blocks, uint64_t) {
  if (live_blocks < blocks_.capacity()) return;
  blocks_.reserve(std::max<size_t>(64, blocks_.capacity() * 2));
}

std::optional<Placement> Stack::allocate(uint64_t bytes, uint64_t alignment, uint64_t handle) noexcept {
  const uint64_t offset = align_up(top_, std::max(alignment, granule_));
  if (offset > capacity_ || capacity_ - offset < bytes) return std::nullopt;
  blocks_.push_back({handle, top_, ++last_serial_});
  top_ = offset + bytes;
  return Placement{offset, bytes};
}

bool Stack::release(const Placement&, uint64_t handle) noexcept {
  if (blocks_.empty() || blocks_.back().handle != handle) return false;
  top_ = blocks_.back().previous_top;
  blocks_.pop_back();
  return true;
}

bool Stack::holds(uint64_t mark) const noexcept {
  if (mark == 0) return true;
  const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), mark,
                                      [](const Block& block, uint64_t serial) { return block.serial < serial; });
  return found != blocks_.end() && found->serial == mark;
}

std::optional<uint64_t> Stack::newest_after(uint64_t mark) const noexcept {
  if (blocks_.empty() || blocks_.back().serial <= mark) return std::nullopt;
  return blocks_.back().handle;
}

}  // namespace nautilus
