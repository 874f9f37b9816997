// An arena: a strategy that finds room, a table that names the blocks, and the figures of both, all of which stand
// in the ledger. It holds no pointer into the segment and does no I/O. One thread at a time may call it; what
// threads do beside it on slots they own is told by set_contended().
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "alloc/recovery.h"
#include "alloc/strategy.h"

namespace nautilus {

enum class FreeOutcome : int { kFreed = 0, kUnknownBlock = 1, kOrderViolation = 2 };

class Arena {
 public:
  static constexpr uint64_t kMaxAlignment = 65536;

  virtual ~Arena() = default;

  // The handle of a new block, or 0 when nothing fits. bytes from 1 to 2^53 - 1, alignment a power of two up to
  // kMaxAlignment. May throw std::bad_alloc, and is then as before.
  virtual uint64_t allocate(uint64_t bytes, uint64_t alignment) = 0;
  virtual FreeOutcome free(uint64_t handle) noexcept = 0;

  // FIRST_FIT and BEST_FIT only: a given place, a multiple of the granule; 0 when any of it is taken. Not for a common
  // path: it walks the segment.
  virtual bool can_place_at() const noexcept = 0;
  virtual uint64_t allocate_at(uint64_t offset, uint64_t bytes) = 0;

  // STACK only: the state to return to, and the return. A mark is the handle of the block that was newest.
  virtual bool is_ordered() const noexcept = 0;
  virtual uint64_t mark() const noexcept = 0;
  virtual FreeOutcome rewind(uint64_t mark) noexcept = 0;

  // Magazines: rooms of one size class that are taken in advance and published elsewhere, by one store into the
  // slot's word. Answers how many of `out` were filled; an ordered strategy fills none. May throw std::bad_alloc; what
  // was reserved before stays.
  virtual uint32_t reserve(uint32_t owner, uint32_t size_class, std::span<uint32_t> out) = 0;
  // Slots that are no longer reserved by this owner are passed over.
  virtual void give_back(uint32_t owner, std::span<const uint32_t> slots) noexcept = 0;
  // Everything that an attachment still has reserved; its counters become the arena's own.
  virtual void detach(uint32_t owner) noexcept = 0;

  // After the death of the former owner, into an arena that has given out nothing: false when the ledger's header
  // does not describe this arena, which is then not to be used. Attachments, pins and reserved rooms are gone. May
  // throw std::bad_alloc; another arena can then try again.
  virtual bool recover() = 0;
  // Blocks that could not be, and that recovery therefore ended: always 0 when the owner was only killed.
  virtual uint64_t left_out() const noexcept = 0;

  virtual uint64_t free_bytes() const noexcept = 0;
  virtual uint64_t largest_free_bytes() const noexcept = 0;
  // By rising offset. May throw std::bad_alloc.
  virtual std::vector<FreeRange> free_ranges() const = 0;
  virtual const Work& work() noexcept = 0;
  virtual uint64_t granule() const noexcept = 0;
  virtual SlotTable& slots() noexcept = 0;
  virtual ArenaFigures figures() const noexcept = 0;
  // Other threads end blocks by themselves from now on, so ending one here needs an atomic exchange.
  virtual void set_contended(bool contended) noexcept = 0;
};

template <Strategy S>
class ArenaOf final : public Arena {
 public:
  // The ledger was initialised for this capacity and granule, and outlives the arena. May throw std::bad_alloc.
  ArenaOf(const LedgerMemory& ledger, Geometry geometry)
      : header_(&ledger.header()), geometry_(geometry), slots_(ledger), strategy_(slots_, geometry) {
    // Of an empty ledger only: recovery compares it with what the dead owner's strategy wrote.
    if (header_->slots_used == 0) store_relaxed(header_->power_of_two_rooms, uint32_t{kPowerOfTwoRooms});
  }

  uint64_t allocate(uint64_t bytes, uint64_t alignment) override {
    if (bytes == 0) [[unlikely]] return 0;
    const uint64_t aligned = std::max(alignment, geometry_.granule);
    strategy_.reserve(aligned);
    return publish(strategy_.allocate(bytes, aligned), bytes);
  }

  FreeOutcome free(uint64_t handle) noexcept override {
    const uint32_t slot = slots_.find(handle);
    if (slot == kNoSlot) return FreeOutcome::kUnknownBlock;
    if (!strategy_.may_release(slot)) return FreeOutcome::kOrderViolation;
    if (!slots_.unpublish(slot, static_cast<uint32_t>(handle >> 32), contended_)) return FreeOutcome::kUnknownBlock;
    add(header_->frees, 1);
    give_room(slot);
    return FreeOutcome::kFreed;
  }

  bool can_place_at() const noexcept override {
    return requires(S s) { s.allocate_at(uint64_t{}, uint64_t{}); };
  }
  uint64_t allocate_at(uint64_t offset, uint64_t bytes) override {
    if constexpr (requires(S s) { s.allocate_at(offset, bytes); }) {
      if (bytes == 0) return 0;
      strategy_.reserve(geometry_.granule);
      return publish(strategy_.allocate_at(offset, bytes), bytes);
    }
    return 0;
  }

  bool is_ordered() const noexcept override {
    return requires(S s) { s.newest(); };
  }
  uint64_t mark() const noexcept override {
    if constexpr (requires(S s) { s.newest(); }) {
      return strategy_.newest() == kNoSlot ? 0 : slots_.handle_of(strategy_.newest());
    }
    return 0;
  }
  FreeOutcome rewind(uint64_t mark) noexcept override {
    if constexpr (requires(S s) { s.newest(); }) {
      const uint32_t until = mark == 0 ? kNoSlot : slots_.find(mark);
      if (mark != 0 && until == kNoSlot) return FreeOutcome::kOrderViolation;
      while (strategy_.newest() != until) {
        // Only a stray write into the ledger makes this fail; better a refusal than a loop.
        const FreeOutcome outcome = free(slots_.handle_of(strategy_.newest()));
        if (outcome != FreeOutcome::kFreed) return outcome;
      }
      return FreeOutcome::kFreed;
    }
    return FreeOutcome::kOrderViolation;
  }

  uint32_t reserve(uint32_t owner, uint32_t size_class, std::span<uint32_t> out) override;
  void give_back(uint32_t owner, std::span<const uint32_t> slots) noexcept override;
  void detach(uint32_t owner) noexcept override;
  bool recover() override;
  uint64_t left_out() const noexcept override { return left_out_; }

  uint64_t free_bytes() const noexcept override { return strategy_.free_bytes(); }
  uint64_t largest_free_bytes() const noexcept override { return strategy_.largest_free_bytes(); }
  std::vector<FreeRange> free_ranges() const override {
    std::vector<FreeRange> ranges;
    strategy_.for_each_free([&](FreeRange range) { ranges.push_back(range); });
    return ranges;
  }
  const Work& work() noexcept override { return strategy_.work(); }
  uint64_t granule() const noexcept override { return geometry_.granule; }
  SlotTable& slots() noexcept override { return slots_; }
  ArenaFigures figures() const noexcept override { return figures_of(*header_); }
  void set_contended(bool contended) noexcept override { contended_ = contended; }

  S& strategy() noexcept { return strategy_; }
  LedgerHeader& header() noexcept { return *header_; }

 private:
  static constexpr bool kPowerOfTwoRooms = requires { S::kPowerOfTwoRooms; };

  uint64_t publish(Placed placed, uint64_t bytes) noexcept {
    if (placed.slot == kNoSlot) {
      strategy_.work().finish();
      add(header_->failures, 1);
      return 0;
    }
    add(header_->allocations, 1);
    take_room(placed.room);
    return slots_.publish(placed.slot, bytes);
  }
  void take_room(uint64_t room) noexcept {
    const uint64_t taken = header_->taken_bytes + room;
    store_relaxed(header_->taken_bytes, taken);
    if (taken > header_->high_water_bytes) store_relaxed(header_->high_water_bytes, taken);
    strategy_.work().finish();
  }
  void give_room(uint32_t slot) noexcept {
    store_relaxed(header_->taken_bytes, header_->taken_bytes - strategy_.release(slot));
    strategy_.work().finish();
  }

  LedgerHeader* header_;
  Geometry geometry_;
  SlotTable slots_;
  S strategy_;
  bool contended_ = false;
  uint64_t left_out_ = 0;
};

template <Strategy S>
uint32_t ArenaOf<S>::reserve(uint32_t owner, uint32_t size_class, std::span<uint32_t> out) {
  // What is taken in advance comes back in any order.
  if constexpr (requires(S s) { s.newest(); }) return 0;
  const uint64_t bytes = class_granules(size_class) * geometry_.granule;
  uint32_t filled = 0;
  for (uint32_t& place : out) {
    try {
      strategy_.reserve(geometry_.granule);
    } catch (const std::bad_alloc&) {
      // What was taken before is the caller's, and it must hear of it.
      if (filled == 0) throw;
      break;
    }
    const auto [slot, room] = strategy_.allocate(bytes, geometry_.granule);
    if (slot == kNoSlot) break;
    slots_[slot].size_class = static_cast<uint8_t>(size_class);
    slots_[slot].length = bytes;
    take_room(room);
    slots_.reserve(slot, owner);
    place = slot;
    ++filled;
  }
  // No failure: whoever gets nothing here asks for one block next.
  if (filled == 0) strategy_.work().finish();
  return filled;
}

template <Strategy S>
void ArenaOf<S>::give_back(uint32_t owner, std::span<const uint32_t> slots) noexcept {
  for (const uint32_t slot : slots) {
    if (slot >= slots_.used()) continue;
    const uint32_t word = load_acquire(slots_[slot].word);
    if (state_of(word) != SlotState::kReserved || owner_of(word) != owner) continue;
    give_room(slot);
  }
}

template <Strategy S>
void ArenaOf<S>::detach(uint32_t owner) noexcept {
  for (uint32_t slot = 0; slot < slots_.used(); ++slot) give_back(owner, {&slot, 1});
  Attachment& attachment = header_->attachments[owner - 1];
  add(header_->allocations, whole(attachment.allocations));
  add(header_->frees, whole(attachment.frees));
  attachment = Attachment{};
}

template <Strategy S>
bool ArenaOf<S>::recover() {
  if (strategy_.free_bytes() != geometry_.capacity) return false;
  if (!describes(*header_, geometry_, kPowerOfTwoRooms)) return false;
  left_out_ = 0;
  std::vector<PlacedSlot> live = slots_.rebuild(geometry_.capacity, geometry_.granule, left_out_);
  sort_by_place(live);
  if constexpr (requires { strategy_.expect_adoptions(live.size()); }) strategy_.expect_adoptions(live.size());
  constexpr size_t kAhead = 16;  // slots in the order of places lie anywhere
  uint64_t taken = 0;
  uint64_t kept = 0;
  for (size_t at = 0; at < live.size(); ++at) {
    if (at + kAhead < live.size()) __builtin_prefetch(&slots_[live[at + kAhead].slot], 1);
    const uint32_t slot = live[at].slot;
    if (strategy_.adopt(slot)) {
      taken += strategy_.room(slot);
      ++kept;
    } else {
      slots_.drop(slot);
      ++left_out_;
    }
  }
  strategy_.finish_adoption();
  strategy_.work() = Work{};
  write_recovered_figures(*header_, geometry_, kept, taken);
  return true;
}

}  // namespace nautilus
