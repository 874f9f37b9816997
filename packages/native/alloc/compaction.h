// How blocks move. A block goes to a place that does not touch its own by a copy and one store of its offset; over
// its own place it slides under the journal. Its pins say kMoving meanwhile, and a slot of limbo keeps the place it
// goes to, so a move may rest between two passes.
#pragma once

#include <algorithm>
#include <cstring>

#include "alloc/limbo.h"
#include "alloc/movable.h"
#include "alloc/move_journal.h"
#include "alloc/zones.h"

namespace nautilus {

template <RangeIndex Index>
class Movable final : public MovableArena {
 public:
  Movable(ArenaOf<RangeMap<Index>>& arena, const LedgerMemory& ledger, std::byte* payload) noexcept
      : arena_(arena),
        map_(arena.strategy()),
        slots_(arena.slots()),
        ledger_(ledger),
        header_(ledger.header()),
        payload_(payload),
        granule_(arena.granule()),
        limbo_(slots_, header_) {
    store_relaxed(header_.movable, uint32_t{1});
    if (header_.epoch == 0) store_relaxed(header_.epoch, uint64_t{1});
  }
  Movable(const Movable&) = delete;
  Movable& operator=(const Movable&) = delete;

  uint64_t allocate(uint64_t bytes, uint64_t alignment) override {
    const uint64_t aligned = std::max(alignment, granule_);
    map_.reserve(aligned);
    if (!map_.fits(bytes, aligned)) make_room(bytes, aligned);
    if (slots_.used() == header_.slot_capacity) drain();
    return arena_.allocate(bytes, alignment);
  }

  FreeOutcome free(uint64_t handle) noexcept override {
    const uint32_t slot = slots_.find(handle);
    if (slot == kNoSlot) return FreeOutcome::kUnknownBlock;
    const uint32_t generation = generation_of(slots_[slot].word);
    const uint32_t ended = generation == kLastGeneration
                               ? slot_word(SlotState::kRetired, generation)
                               : slot_word(SlotState::kReserved, generation + 1, kLimboOwner);
    std::atomic_ref(slots_[slot].word).store(ended);
    add(header_.frees, 1);
    if (slot == move_.slot) abandon();
    retire(slot);
    write_taken();
    return FreeOutcome::kFreed;
  }

  Held pin(uint64_t handle) noexcept override {
    const Held held = try_pin(ledger_, handle);
    if (held.outcome != HoldOutcome::kOnTheMove) return held;
    settle();
    return try_pin(ledger_, handle);
  }
  Held resolve(uint64_t handle) noexcept override {
    const Held held = try_resolve(ledger_, handle);
    if (held.outcome != HoldOutcome::kOnTheMove) return held;
    settle();
    return try_resolve(ledger_, handle);
  }
  bool unpin(uint64_t handle) noexcept override {
    const bool held = nautilus::unpin(ledger_, handle);
    // A look at every room in limbo for every pin that ends would be quadratic.
    if (++unpins_ >= limbo_.rooms()) drain();
    return held;
  }

  PassReport pass(PassBudget budget) override;

  uint64_t drain() noexcept override {
    unpins_ = 0;
    const uint64_t drained = limbo_.drain([this](uint32_t slot) { release(slot); });
    if (drained > 0) write_taken();
    return drained;
  }
  bool waits_for_readers() const noexcept override { return any_epoch_open(header_); }
  uint64_t limbo_rooms() const noexcept override { return limbo_.rooms(); }

 private:
  // Free ranges and blocks that one pass may look at: a pass that finds nothing to do is short as well.
  static constexpr uint32_t kStepsPerPass = 1024;
  // Each attempt fails only because a pin was taken while it ran.
  static constexpr int kAttempts = 8;

  struct Move {
    uint32_t slot = kNoSlot;
    uint32_t target = kNoSlot;  // keeps the place the block goes to, as far as the block itself is not there yet
    uint64_t to = 0;
    uint64_t bytes = 0;
    uint64_t done = 0;
    bool slides = false;
  };

  void write_taken() noexcept { store_relaxed(header_.taken_bytes, map_.geometry().capacity - map_.free_bytes()); }

  void release(uint32_t slot) noexcept {
    map_.release(slot);
    disturbed_ = true;
  }
  // The slot's word says already that no block is there.
  void retire(uint32_t slot) noexcept {
    if (limbo_.is_held(slot)) {
      limbo_.add(slot);
    } else {
      release(slot);
    }
  }

  bool claim(Slot& slot) noexcept {
    uint16_t none = 0;
    return std::atomic_ref(slot.pins).compare_exchange_strong(none, kMoving);
  }
  void give_up_claim(Slot& slot) noexcept { std::atomic_ref(slot.pins).store(0); }

  // Into a free range, at `to`; when the block is longer than the rest of the range, that ends where the block
  // begins. False when it must stay. No other move is under way. May throw std::bad_alloc.
  bool begin(uint32_t block, uint32_t range, uint64_t to) {
    map_.reserve(granule_);
    Slot& slot = slots_[block];
    if (!is_live(slot) || !claim(slot)) return false;
    const uint64_t room = map_.room(block);
    const uint64_t available = map_.free_place(range).end - to;
    const bool slides = available < room;
    // A reader that enters after this look finds the claim, and comes for the lock.
    const bool may_start = is_live(slot) && !(slides && any_epoch_open(header_));
    const uint32_t target = may_start ? map_.place_within(range, to, std::min(available, room)) : kNoSlot;
    if (target == kNoSlot) {
      give_up_claim(slot);
      return false;
    }
    slots_.reserve(target, kLimboOwner);
    move_ = {block, target, to, room, 0, slides};
    if (slides) begin_slide(header_.move, block, slot.offset, to, room);
    return true;
  }

  // The whole block, in one go, while no reader can know its old place: such a move needs no slot for its target.
  bool move_at_once(uint32_t block, uint32_t range, uint64_t to) {
    map_.reserve(granule_);
    Slot& slot = slots_[block];
    if (!claim(slot)) return false;
    if (!is_live(slot) || any_epoch_open(header_)) {
      give_up_claim(slot);
      return false;
    }
    const uint64_t room = map_.room(block);
    const bool slides = map_.free_place(range).end - to < room;
    if (slides) {
      begin_slide(header_.move, block, slot.offset, to, room);
      slide(header_.move, payload_, room);
    } else {
      std::memcpy(payload_ + to, payload_ + slot.offset, room);
    }
    keep_order();
    map_.slide_down(block, to);
    if (slides) end_slide(header_.move);
    give_up_claim(slot);
    disturbed_ = true;
    add(header_.moved_bytes, room);
    add(header_.moved_blocks, 1);
    return true;
  }

  // The block behind the free range, into it. True when it has moved or begun to, by at most so many bytes; these
  // are then fewer.
  bool close_gap(uint32_t range, uint64_t& bytes) {
    const uint32_t block = map_.next_of(range);
    if (block == kNoSlot || !may_move(slots_[block])) return false;
    const Slot& slot = slots_[block];
    const uint64_t to = align_up(map_.free_place(range).start, uint64_t{1} << slot.alignment_log2);
    if (to >= slot.offset) return false;
    const uint64_t room = map_.room(block);
    if (room <= bytes && move_at_once(block, range, to)) {
      bytes -= room;
      return true;
    }
    if (!begin(block, range, to)) return false;
    const uint64_t part = std::min(bytes, room);
    bytes -= part;
    advance(part);
    return true;
  }

  void advance(uint64_t most_bytes) noexcept {
    const uint64_t bytes = std::min(most_bytes, move_.bytes - move_.done);
    if (move_.slides) {
      slide(header_.move, payload_, bytes);
    } else {
      std::memcpy(payload_ + move_.to + move_.done, payload_ + slots_[move_.slot].offset + move_.done, bytes);
    }
    move_.done += bytes;
    if (move_.done == move_.bytes) arrive();
    add(header_.moved_bytes, bytes);
  }
  void arrive() noexcept {
    const Move move = move_;
    move_ = {};
    if (move.slides) {
      release(move.target);
      map_.slide_down(move.slot, move.to);
      end_slide(header_.move);
      give_up_claim(slots_[move.slot]);
    } else {
      map_.exchange(move.slot, move.target);
      give_up_claim(slots_[move.slot]);
      retire(move.target);
    }
    disturbed_ = true;
    add(header_.moved_blocks, 1);
  }
  // The block stays where it is, as whole as it was: nothing of it has slid, or it has ended.
  void abandon() noexcept {
    const Move move = move_;
    move_ = {};
    if (move.slides) end_slide(header_.move);
    give_up_claim(slots_[move.slot]);
    release(move.target);
  }
  // Somebody wants the block now: a copy can be forgotten, a slide must end.
  void settle() noexcept {
    if (move_.slot == kNoSlot) return;
    if (move_.slides) {
      advance(UINT64_MAX);
    } else {
      abandon();
    }
    write_taken();
  }

  void make_room(uint64_t bytes, uint64_t aligned);
  bool compact(uint32_t at, bool beyond_zone, uint64_t bytes, uint64_t aligned);
  bool empty_a_zone(uint64_t bytes, uint64_t aligned);

  // Where the round of passes stands: behind this block, if it is still the same.
  uint32_t resume() const noexcept {
    const bool stands = round_slot_ != kNoSlot && slots_[round_slot_].word == round_word_;
    return stands ? map_.next_of(round_slot_) : map_.first();
  }
  void begin_round() noexcept {
    round_slot_ = kNoSlot;
    disturbed_ = false;
    free_at_round_ = map_.free_bytes();
  }
  bool go_round(uint64_t& bytes, uint32_t moves);

  ArenaOf<RangeMap<Index>>& arena_;
  RangeMap<Index>& map_;
  SlotTable& slots_;
  LedgerMemory ledger_;
  LedgerHeader& header_;
  std::byte* payload_;
  uint64_t granule_;
  Limbo limbo_;
  uint64_t unpins_ = 0;  // since limbo was drained
  Move move_;
  uint32_t round_slot_ = kNoSlot;
  uint32_t round_word_ = 0;
  uint64_t free_at_round_ = UINT64_MAX;
  bool disturbed_ = true;  // something moved or ended since the round began
};

template <RangeIndex Index>
PassReport Movable<Index>::pass(PassBudget budget) {
  const uint64_t bytes_before = header_.moved_bytes;
  const uint64_t blocks_before = header_.moved_blocks;
  const uint64_t largest_before = map_.largest_free_bytes();
  PassReport report{.more = true};
  drain();
  uint64_t bytes = budget.max_bytes;
  if (move_.slot != kNoSlot) {
    const uint64_t step = std::min(bytes, move_.bytes - move_.done);
    bytes -= step;
    advance(step);
  }
  if (move_.slot == kNoSlot) report.more = go_round(bytes, budget.max_moves);
  write_taken();
  report.moved_bytes = header_.moved_bytes - bytes_before;
  report.moved_blocks = header_.moved_blocks - blocks_before;
  report.largest_free_growth = std::max(map_.largest_free_bytes(), largest_before) - largest_before;
  return report;
}

template <RangeIndex Index>
bool Movable<Index>::go_round(uint64_t& bytes, uint32_t moves) {
  uint32_t at = resume();
  for (uint32_t step = 0; step < kStepsPerPass && bytes > 0 && moves > 0; ++step) {
    if (at == kNoSlot) {
      if (!disturbed_ && map_.free_bytes() == free_at_round_) {
        round_slot_ = kNoSlot;
        return false;
      }
      begin_round();
      at = map_.first();
      continue;
    }
    const uint32_t next = map_.next_of(at);
    if (map_.is_free(at) && close_gap(at, bytes)) {
      if (move_.slot != kNoSlot) return true;
      --moves;
      at = next;
    }
    if (!map_.is_free(at) && is_live(slots_[at])) {
      round_slot_ = at;
      round_word_ = slots_[at].word;
    }
    at = map_.next_of(at);
  }
  return true;
}

template <RangeIndex Index>
void Movable<Index>::make_room(uint64_t bytes, uint64_t aligned) {
  drain();
  settle();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (map_.fits(bytes, aligned)) break;
    const uint64_t room = align_up(bytes, granule_);
    if (room > map_.free_bytes() || any_epoch_open(header_)) break;
    const Window window = cheapest_window(map_, room + aligned - granule_);
    if (window.first != kNoSlot) {
      compact(window.first, false, bytes, aligned);
    } else if (!compact(map_.first(), true, bytes, aligned) && !empty_a_zone(bytes, aligned)) {
      break;
    }
  }
  write_taken();
}

// Slides blocks down, from here to the end of the zone or of the segment, until the request fits.
template <RangeIndex Index>
bool Movable<Index>::compact(uint32_t at, bool beyond_zone, uint64_t bytes, uint64_t aligned) {
  for (; at != kNoSlot; at = map_.next_of(at)) {
    if (!map_.is_free(at)) {
      if (!beyond_zone && !may_move(slots_[at])) return false;
      continue;
    }
    if (map_.fits(bytes, aligned)) return true;
    const uint32_t block = map_.next_of(at);
    uint64_t unlimited = UINT64_MAX;
    if (close_gap(at, unlimited)) at = block;
    if (block == kNoSlot) return false;
  }
  return false;
}

// No zone has enough; one that is long enough gets it by sending blocks to the others.
template <RangeIndex Index>
bool Movable<Index>::empty_a_zone(uint64_t bytes, uint64_t aligned) {
  const uint64_t request = align_up(bytes, granule_) + aligned - granule_;
  const std::vector<Zone> zones = zones_of(map_);
  std::multimap<uint64_t, const Zone*> by_missing;
  for (const Zone& zone : zones) {
    const uint64_t needed = request + zone.slack;
    if (zone.extent >= needed && zone.free < needed) by_missing.insert({needed - zone.free, &zone});
  }
  for (const auto& [missing, zone] : by_missing) {
    // All zones are compact now, so what is free in another is one range, but for alignments.
    const std::vector<Eviction> evictions = plan_evictions(map_, *zone, refuges_outside(map_, *zone), missing);
    if (evictions.empty()) continue;
    for (const Eviction& eviction : evictions) {
      // Pins come and go while the plan is made, so a refuge may turn out to be part of the zone, and be merged.
      if (!map_.is_free_place(eviction.into, eviction.to, map_.room(eviction.slot))) return true;
      if (!begin(eviction.slot, eviction.into, eviction.to)) return true;
      advance(UINT64_MAX);
    }
    return true;
  }
  return false;
}

}  // namespace nautilus
