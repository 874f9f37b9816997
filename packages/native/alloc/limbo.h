// Rooms that nobody owns any more and that somebody may still read: of blocks freed under a pin, and of blocks and
// old places that a reader inside an epoch may have found. They serve again when the last holder has left. The list
// runs through the dead slots themselves, so that putting a room here needs no memory.
#pragma once

#include "alloc/pins.h"
#include "alloc/slot_table.h"

namespace nautilus {

class Limbo {
 public:
  Limbo(SlotTable& slots, LedgerHeader& header) noexcept : slots_(slots), header_(header) {}

  // The slot's word says already that no block is there.
  void add(uint32_t slot) noexcept {
    slots_[slot].length = pack(header_.epoch, newest_);
    newest_ = slot;
    ++rooms_;
  }

  // Whether a room that ends now is free at once.
  bool is_held(uint32_t slot) const noexcept { return pins_of(slots_[slot]) != 0 || any_epoch_open(header_); }

  // Calls `release` for every room that nobody can read any more; answers how many.
  template <typename Release>
  uint64_t drain(Release release) noexcept {
    if (newest_ == kNoSlot) return 0;
    // Whoever enters from now on cannot have found what is here.
    std::atomic_ref(header_.epoch).store(header_.epoch + 1);
    const uint64_t oldest = oldest_open_epoch(header_);
    const uint64_t before = rooms_;
    uint32_t kept = kNoSlot;
    for (uint32_t slot = newest_; slot != kNoSlot;) {
      const uint64_t link = slots_[slot].length;
      const uint32_t next = next_in(link);
      if (epoch_in(link) < oldest && pins_of(slots_[slot]) == 0) {
        --rooms_;
        release(slot);
      } else {
        slots_[slot].length = pack(epoch_in(link), kept);
        kept = slot;
      }
      slot = next;
    }
    newest_ = kept;
    return before - rooms_;
  }

  uint64_t rooms() const noexcept { return rooms_; }

 private:
  // In the length of a dead slot: the epoch it ended in, and the next one's number plus one.
  static constexpr unsigned kLinkBits = kSlotBits + 1;
  static uint64_t pack(uint64_t epoch, uint32_t next) noexcept {
    return (epoch << kLinkBits) | (next == kNoSlot ? 0 : next + 1);
  }
  static uint64_t epoch_in(uint64_t link) noexcept { return link >> kLinkBits; }
  static uint32_t next_in(uint64_t link) noexcept {
    const auto number = static_cast<uint32_t>(link & ((uint64_t{1} << kLinkBits) - 1));
    return number == 0 ? kNoSlot : number - 1;
  }

  SlotTable& slots_;
  LedgerHeader& header_;
  uint32_t newest_ = kNoSlot;
  uint64_t rooms_ = 0;
};

}  // namespace nautilus
