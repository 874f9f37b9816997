// STACK: a pointer that goes up and down. The newest block is freed first; a mark returns to an earlier state.
// Anything else is refused, because it would be another strategy under this name. `prior` of a slot is the block
// below it.
#pragma once

#include "alloc/strategy.h"

namespace nautilus {

class Stack {
 public:
  Stack(SlotTable& slots, Geometry geometry) : slots_(slots), geometry_(geometry) {}
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  void reserve(uint64_t) noexcept {}

  Placed allocate(uint64_t bytes, uint64_t alignment) noexcept {
    const uint64_t start = align_up(top_, alignment);
    const uint64_t room = align_up(bytes, geometry_.granule);
    if (start > geometry_.capacity || room > geometry_.capacity - start) return {};
    const uint32_t slot = slots_.take();
    if (slot == kNoSlot) return {};
    Slot& at = slots_[slot];
    at.size_class = kNoClass;
    at.alignment_log2 = static_cast<uint8_t>(std::countr_zero(alignment));
    at.offset = start;
    push(slot, start + room);
    return {slot, room};
  }

  bool may_release(uint32_t slot) const noexcept { return slot == newest_; }

  uint64_t release(uint32_t slot) noexcept {
    const uint64_t bytes = room(slot);
    newest_ = slots_[slot].prior;
    top_ = newest_ == kNoSlot ? 0 : slots_[newest_].offset + room(newest_);
    slots_.give(slot);
    return bytes;
  }

  uint64_t room(uint32_t slot) const noexcept { return align_up(slots_[slot].length, geometry_.granule); }
  uint64_t free_bytes() const noexcept { return geometry_.capacity - top_; }
  uint64_t largest_free_bytes() const noexcept { return geometry_.capacity - top_; }
  uint32_t newest() const noexcept { return newest_; }

  bool adopt(uint32_t slot) noexcept {
    const Slot& at = slots_[slot];
    if (at.length == 0 || at.offset < top_ || at.offset % geometry_.granule != 0) return false;
    if (at.offset > geometry_.capacity || at.length > geometry_.capacity - at.offset) return false;
    push(slot, at.offset + room(slot));
    return true;
  }
  void finish_adoption() noexcept {}

  template <typename Visit>
  void for_each_free(Visit visit) const {
    if (top_ < geometry_.capacity) visit(FreeRange{top_, geometry_.capacity});
  }
  Work& work() noexcept { return work_; }

 private:
  void push(uint32_t slot, uint64_t top) noexcept {
    slots_[slot].prior = newest_;
    newest_ = slot;
    top_ = top;
  }

  SlotTable& slots_;
  Geometry geometry_;
  Work work_;
  uint64_t top_ = 0;
  uint32_t newest_ = kNoSlot;
};

}  // namespace nautilus
