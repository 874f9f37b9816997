// The names of live blocks, kept in the ledger. A handle packs slot, arena tag and generation into 53 bits; ending
// a block raises its slot's generation, so an old handle finds nothing. Free slots are used again newest first,
// which keeps the table short and warm; a slot whose generations are used up is retired for good.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alloc/ledger.h"

namespace nautilus {

// A published slot and its place in granules.
struct PlacedSlot {
  uint32_t place;
  uint32_t slot;
};

class SlotTable {
 public:
  // May throw std::bad_alloc. The ledger is initialised and outlives the table. A header that claims more than there is was not written by us;
  // recovery refuses it, and until then nothing reaches outside.
  explicit SlotTable(const LedgerMemory& ledger)
      : header_(&ledger.header()),
        slots_(ledger.slots()),
        capacity_(static_cast<uint32_t>(
            std::min<uint64_t>({header_->slot_capacity, kMaxSlots, (ledger.bytes - kLedgerHeaderBytes) / sizeof(Slot)}))),
        used_(std::min(header_->slots_used, capacity_)),
        tag_bits_((header_->tag & 0xff) << kSlotBits),
        free_(new uint32_t[capacity_]) {}

  Slot& operator[](uint32_t slot) noexcept { return slots_[slot]; }
  const Slot& operator[](uint32_t slot) const noexcept { return slots_[slot]; }

  // A slot for a block to come; kNoSlot when all are taken. Its word says free until publish().
  uint32_t take() noexcept {
    return free_count_ != 0 ? free_[--free_count_] : take_fresh();
  }

  // Offset, room and links are written; this store makes the block exist. Answers its handle.
  uint64_t publish(uint32_t slot, uint64_t length) noexcept {
    Slot& at = slots_[slot];
    at.length = length;
    const uint32_t generation = generation_of(load_relaxed(at.word));
    store_release(at.word, slot_word(SlotState::kLive, generation));
    return handle(slot, generation);
  }

  // A magazine will publish it later.
  void reserve(uint32_t slot, uint32_t owner) noexcept {
    Slot& at = slots_[slot];
    store_release(at.word, slot_word(SlotState::kReserved, generation_of(load_relaxed(at.word)), owner));
  }

  // kNoSlot for a handle that is stale, foreign or never was one.
  uint32_t find(uint64_t handle) const noexcept {
    const uint32_t slot = static_cast<uint32_t>(handle) ^ tag_bits_;  // under another tag it is beyond all slots
    if (slot >= used_) return kNoSlot;
    const uint32_t word = load_acquire(slots_[slot].word);
    const bool matches = state_of(word) == SlotState::kLive && generation_of(word) == handle >> 32;
    return matches ? slot : kNoSlot;
  }

  // Ends the block of this generation: with this store it is gone, though its room is still to be given back. False
  // when another thread was faster, even if the slot names a new block by now; only then the atomic exchange is worth
  // its price.
  bool unpublish(uint32_t slot, uint32_t generation, bool contended) noexcept {
    Slot& at = slots_[slot];
    const uint32_t after = ended(generation);
    if (!contended) {
      store_release(at.word, after);
      // A reader that sees the next block's place must see that this one ended.
      std::atomic_thread_fence(std::memory_order_release);
      return true;
    }
    uint32_t word = load_relaxed(at.word);
    if (state_of(word) != SlotState::kLive || generation_of(word) != generation) return false;
    return std::atomic_ref<uint32_t>(at.word).compare_exchange_strong(word, after);
  }

  // The slot may name another block. A slot that was only reserved keeps its generation: no handle had it.
  void give(uint32_t slot) noexcept {
    Slot& at = slots_[slot];
    // Relaxed, as elsewhere: another thread may just be trying, in vain, to end the block that was here.
    const uint32_t word = load_relaxed(at.word);
    if (state_of(word) != SlotState::kFree) [[unlikely]] {
      if (state_of(word) == SlotState::kRetired) {
        ++retired_;
        return;
      }
      store_release(at.word, slot_word(SlotState::kFree, generation_of(word)));
    }
    free_[free_count_++] = slot;
  }

  // The same for many, whose words say free: take() answers the first one first. kNoSlot among them is passed over.
  void give_all(std::span<const uint32_t> slots) noexcept {
    for (size_t at = slots.size(); at-- > 0;) {
      if (slots[at] != kNoSlot) free_[free_count_++] = slots[at];
    }
  }

  // What take() will answer after so many others is needed soon.
  void prefetch(uint32_t ahead) const noexcept {
    if (ahead < free_count_) __builtin_prefetch(&slots_[free_[free_count_ - 1 - ahead]], 1);
  }

  uint64_t handle_of(uint32_t slot) const noexcept {
    return handle(slot, generation_of(load_relaxed(slots_[slot].word)));
  }
  uint32_t used() const noexcept { return used_; }
  uint32_t retired() const noexcept { return retired_; }

  // Ends a block that recovery cannot keep; its slot is free.
  void drop(uint32_t slot) noexcept {
    store_release(slots_[slot].word, ended(generation_of(slots_[slot].word)));
    give(slot);
  }

  // Every slot that names no live block is free again, the low ones first; answers the live ones in the order of
  // slots. A block without length or longer than its class, with generation 0 or with a place outside or between
  // granules is dropped and counted. May throw std::bad_alloc, before anything changed.
  std::vector<PlacedSlot> rebuild(uint64_t capacity_bytes, uint64_t granule, uint64_t& dropped);

 private:
  uint64_t handle(uint32_t slot, uint32_t generation) const noexcept {
    return (uint64_t{generation} << 32) | tag_bits_ | slot;
  }
  static uint32_t ended(uint32_t generation) noexcept {
    return generation == kLastGeneration ? slot_word(SlotState::kRetired, generation)
                                         : slot_word(SlotState::kFree, generation + 1);
  }
  uint32_t take_fresh() noexcept;

  LedgerHeader* header_;
  Slot* slots_;
  uint32_t capacity_;
  uint32_t used_;
  uint32_t tag_bits_;  // where they stand in a handle
  // Free slots that were in use, newest last. Beside the ledger, so that one taken from it costs no look at another, and
  // no stray write into shared memory makes two blocks of one slot. The system gives memory for what is used of it.
  std::unique_ptr<uint32_t[]> free_;
  uint32_t free_count_ = 0;
  uint32_t retired_ = 0;
};

}  // namespace nautilus
