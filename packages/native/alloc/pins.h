// How threads beside the arena's owner keep a movable block in place, without its lock: a pin holds one block, an
// epoch holds the bytes of every block that its reader may have found. Every access that decides something is
// sequentially consistent: the mover writes and then looks for holders, a holder announces itself and then looks.
#pragma once

#include "alloc/ledger.h"

namespace nautilus {

enum class HoldOutcome : int {
  kHeld = 0,
  kUnknownBlock = 1,  // stale, foreign or never a handle
  kTooManyPins = 2,
  kOnTheMove = 3,  // take the arena's lock and ask MovableArena, which settles the move first
};

struct Held {
  HoldOutcome outcome = HoldOutcome::kUnknownBlock;
  uint64_t offset = 0;
};

// In a slot's word: a place that a block has left, or will come to, and dead blocks that somebody still reads.
constexpr uint32_t kLimboOwner = 254;
static_assert(kLimboOwner > kMaxAttachments);
constexpr uint16_t kMostPins = kMoving - 1;

inline uint16_t pins_of(const Slot& slot) noexcept { return std::atomic_ref(const_cast<Slot&>(slot).pins).load(); }

inline bool is_live(const Slot& slot) noexcept {
  return state_of(std::atomic_ref(const_cast<Slot&>(slot).word).load()) == SlotState::kLive;
}

// Null for a handle that cannot be one of this arena's; says nothing about its generation.
inline Slot* slot_of_handle(const LedgerMemory& ledger, uint64_t handle) noexcept {
  const LedgerHeader& header = ledger.header();
  const auto slot = static_cast<uint32_t>(handle) & (kMaxSlots - 1);
  if (slot >= load_acquire(header.slots_used) || ((handle >> kSlotBits) & 0xff) != header.tag) return nullptr;
  return handle >> 53 == 0 ? ledger.slots() + slot : nullptr;
}

inline bool names(uint64_t handle, const Slot& slot) noexcept {
  const uint32_t word = std::atomic_ref(const_cast<Slot&>(slot).word).load();
  return state_of(word) == SlotState::kLive && generation_of(word) == handle >> 32;
}

// False when nobody holds it.
inline bool drop_pin(Slot& slot) noexcept {
  std::atomic_ref<uint16_t> pins(slot.pins);
  uint16_t seen = pins.load();
  do {
    if (seen == 0 || seen == kMoving) return false;
  } while (!pins.compare_exchange_weak(seen, static_cast<uint16_t>(seen - 1)));
  return true;
}

// While it is held the block's bytes stay where they are, and their memory serves no other block, even when
// somebody frees the block. Ends with unpin(). This is the way for whoever writes; readers may use an epoch.
inline Held try_pin(const LedgerMemory& ledger, uint64_t handle) noexcept {
  Slot* slot = slot_of_handle(ledger, handle);
  if (slot == nullptr || !names(handle, *slot)) return {};
  std::atomic_ref<uint16_t> pins(slot->pins);
  uint16_t seen = pins.load();
  do {
    if (seen == kMoving) return {HoldOutcome::kOnTheMove, 0};
    if (seen == kMostPins) return {HoldOutcome::kTooManyPins, 0};
  } while (!pins.compare_exchange_weak(seen, static_cast<uint16_t>(seen + 1)));
  // The block may have ended before the pin stood; then the pin is on nothing, or on another block.
  if (!names(handle, *slot)) {
    drop_pin(*slot);
    return {};
  }
  return {HoldOutcome::kHeld, load_acquire(slot->offset)};
}

// Also for a block that was freed while it was pinned. False when the handle has no pin to give back.
inline bool unpin(const LedgerMemory& ledger, uint64_t handle) noexcept {
  Slot* slot = slot_of_handle(ledger, handle);
  if (slot == nullptr) return false;
  const uint32_t word = std::atomic_ref(slot->word).load();
  const uint64_t generation = handle >> 32;
  const bool in_limbo = state_of(word) == SlotState::kReserved && owner_of(word) == kLimboOwner &&
                        generation_of(word) == generation + 1;
  const bool in_last_limbo = state_of(word) == SlotState::kRetired && generation_of(word) == generation;
  if (!in_limbo && !in_last_limbo && !names(handle, *slot)) return false;
  return drop_pin(*slot);
}

// A reader's epoch: from here to leave_epoch() the bytes of every block that resolve() answers stay as they are at
// the place that it answered, though the block moves or ends. An attachment is one thread's, and enters once.
inline void enter_epoch(LedgerHeader& header, uint32_t attachment) noexcept {
  std::atomic_ref(header.attachments[attachment].epoch).store(load_acquire(header.epoch));
}
inline void leave_epoch(LedgerHeader& header, uint32_t attachment) noexcept {
  store_release(header.attachments[attachment].epoch, uint64_t{0});
}

// Inside an epoch only. kOnTheMove: the bytes may be in two pieces.
inline Held try_resolve(const LedgerMemory& ledger, uint64_t handle) noexcept {
  const Slot* slot = slot_of_handle(ledger, handle);
  if (slot == nullptr || !names(handle, *slot)) return {};
  if (pins_of(*slot) == kMoving) return {HoldOutcome::kOnTheMove, 0};
  return {HoldOutcome::kHeld, load_acquire(slot->offset)};
}

// UINT64_MAX when no reader is inside an epoch.
inline uint64_t oldest_open_epoch(const LedgerHeader& header) noexcept {
  uint64_t oldest = UINT64_MAX;
  const uint32_t used = std::min(load_relaxed(header.attachments_used), kMaxAttachments);
  for (uint32_t at = 0; at < used; ++at) {
    const uint64_t epoch = std::atomic_ref(const_cast<LedgerHeader&>(header).attachments[at].epoch).load();
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}
inline bool any_epoch_open(const LedgerHeader& header) noexcept { return oldest_open_epoch(header) != UINT64_MAX; }

}  // namespace nautilus
