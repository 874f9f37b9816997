// STACK: a pointer that goes up and down. The newest block is freed first; a mark returns to an earlier state.
// Anything else is refused, because it would be another strategy under this name. Of a slot `prior` is the block below
// it, `next` the top before it, in granules.
#pragma once

#include "alloc/strategy.h"

namespace nautilus {

class Stack {
 public:
  Stack(SlotTable& slots, Geometry geometry)
      : slots_(slots), geometry_(geometry), granule_log2_(static_cast<uint32_t>(std::countr_zero(geometry.granule))) {}
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  void reserve(uint64_t) noexcept {}

  uint32_t allocate(uint64_t bytes, uint64_t alignment) noexcept {
    const uint64_t start = align_up(top_, alignment);
    const uint64_t room = align_up(bytes, geometry_.granule);
    if (start > geometry_.capacity || room > geometry_.capacity - start) return kNoSlot;
    const uint32_t slot = slots_.take();
    if (slot == kNoSlot) return kNoSlot;
    Slot& at = slots_[slot];
    at.size_class = kNoClass;
    at.alignment_log2 = static_cast<uint8_t>(std::countr_zero(alignment));
    at.offset = start;
    push(slot, start + room);
    return slot;
  }

  bool may_release(uint32_t slot) const noexcept { return slot == newest_; }

  void release(uint32_t slot) noexcept {
    newest_ = slots_[slot].prior;
    top_ = uint64_t{slots_[slot].next} << granule_log2_;
    slots_.give(slot);
  }

  // Of the newest block only, which is the one the arena asks about.
  uint64_t room(uint32_t slot) const noexcept {
    return slot == newest_ ? top_ - slots_[slot].offset : room_of(slot);
  }
  uint64_t free_bytes() const noexcept { return geometry_.capacity - top_; }
  uint64_t largest_free_bytes() const noexcept { return geometry_.capacity - top_; }
  uint32_t newest() const noexcept { return newest_; }

  bool adopt(uint32_t slot) noexcept {
    const Slot& at = slots_[slot];
    if (at.length == 0 || at.offset < top_ || at.offset % geometry_.granule != 0) return false;
    if (at.offset > geometry_.capacity || at.length > geometry_.capacity - at.offset) return false;
    push(slot, at.offset + room_of(slot));
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
    slots_[slot].next = static_cast<uint32_t>(top_ >> granule_log2_);
    newest_ = slot;
    top_ = top;
  }
  uint64_t room_of(uint32_t slot) const noexcept { return align_up(slots_[slot].length, geometry_.granule); }

  SlotTable& slots_;
  Geometry geometry_;
  uint32_t granule_log2_;
  Work work_;
  uint64_t top_ = 0;
  uint32_t newest_ = kNoSlot;
};

}  // namespace nautilus
