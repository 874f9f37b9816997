// Free slots are reused newest first, which keeps the table short and warm. A slot whose generations are used
// up is retired for good: reusing it would make a very old handle valid again.
#include "alloc/handle_table.h"

#include <algorithm>

namespace nautilus {

bool HandleTable::reserve() {
  if (free_ != kEnd) return true;
  if (slots_.size() >= max_slots_) return false;
  if (slots_.size() == slots_.capacity()) {
    slots_.reserve(std::min(max_slots_, std::max<size_t>(64, slots_.capacity() * 2)));
  }
  slots_.emplace_back();
  free_ = static_cast<uint32_t>(slots_.size() - 1);
  return true;
}

uint64_t HandleTable::pack(uint32_t slot) const noexcept {
  const uint64_t generation = slots_[slot].generation;
  return (((generation << kTagBits) | tag_) << kSlotBits) | slot;
}

uint64_t HandleTable::next_handle() const noexcept { return pack(free_); }

uint64_t HandleTable::insert(const Block& block) noexcept {
  const uint32_t slot = free_;
  free_ = slots_[slot].next;
  slots_[slot].block = block;
  slots_[slot].next = kLive;
  ++live_;
  return pack(slot);
}

const Block* HandleTable::find(uint64_t handle) const noexcept {
  const uint64_t slot = handle & ((uint64_t{1} << kSlotBits) - 1);
  if (slot >= slots_.size() || slots_[slot].next != kLive) return nullptr;
  return pack(static_cast<uint32_t>(slot)) == handle ? &slots_[slot].block : nullptr;
}

void HandleTable::erase(uint64_t handle) noexcept {
  const auto slot = static_cast<uint32_t>(handle & ((uint64_t{1} << kSlotBits) - 1));
  Slot& at = slots_[slot];
  --live_;
  if (at.generation == kLastGeneration) {
    at.next = kEnd;
    ++retired_;
    return;
  }
  ++at.generation;
  at.next = free_;
  free_ = slot;
}

}  // namespace nautilus
