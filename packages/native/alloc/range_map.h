// The ranges of a segment in the order of their addresses, live and free, each knowing its neighbours: freed room
// merges in constant time, and only the question where to put a block is left to an index. FIRST_FIT and BEST_FIT
// are this map under two indexes. Live blocks keep their neighbours in their slots, free ranges in `ranges_`.
#pragma once

#include <utility>
#include <vector>

#include "alloc/strategy.h"

namespace nautilus {

constexpr uint32_t kNoRange = UINT32_MAX;

// What an index must do. Ranges are numbered densely from 0; start and end are multiples of the granule.
template <typename I>
concept RangeIndex = requires(I index, const I constant, uint32_t range, FreeRange place, uint64_t number) {
  // I(Geometry, Work&)
  // Makes room for this many ranges and for this alignment; may throw std::bad_alloc and is then as before.
  index.reserve(number /* ranges */, number /* alignment */);
  { index.insert(range, place) } noexcept;
  { index.erase(range, place) } noexcept;
  // From one place to another that does not pass a neighbour.
  { index.change(range, place /* before */, place /* after */) } noexcept;
  // The range to take for so many bytes at this alignment (both in multiples of the granule), or kNoRange.
  { constant.find(number, number) } noexcept -> std::same_as<uint32_t>;
  { constant.largest() } noexcept -> std::same_as<uint64_t>;
};

template <RangeIndex Index>
class RangeMap {
 public:
  RangeMap(SlotTable& slots, Geometry geometry)
      : slots_(slots), geometry_(geometry), index_(geometry, work_), free_bytes_(geometry.capacity) {
    reserve(geometry.granule);
    first_ = last_ = free_tag(add({0, geometry.capacity}, kNoSlot, kNoSlot));
  }
  RangeMap(const RangeMap&) = delete;
  RangeMap& operator=(const RangeMap&) = delete;

  void reserve(uint64_t alignment) {
    // Every block may one day lie between free ranges: releasing it must not need memory.
    // The index first: when growing it fails, no range may have a number that the index has no place for.
    const bool is_short = ranges_.size() < live_ + 3;
    index_.reserve(is_short ? grown() : ranges_.size(), alignment);
    if (is_short) grow(grown());
  }

  Placed allocate(uint64_t bytes, uint64_t alignment) noexcept {
    const uint64_t room = align_up(bytes, geometry_.granule);
    const uint32_t range = index_.find(room, alignment);
    if (range == kNoRange) return {};
    return {place(range, align_up(ranges_[range].place.start, alignment), room, alignment), room};
  }

  // The given place, if all of it is free. Walks the ranges from the first one, each a step of counted work.
  Placed allocate_at(uint64_t offset, uint64_t bytes) noexcept {
    const uint64_t room = align_up(bytes, geometry_.granule);
    if (offset >= geometry_.capacity || room > geometry_.capacity - offset) return {};
    for (uint32_t at = first_; at != kNoSlot; at = next_of(at)) {
      work_.step();
      if (!is_free(at) || ranges_[number(at)].place.end <= offset) continue;
      const FreeRange& place_of = ranges_[number(at)].place;
      if (place_of.start > offset || place_of.end < offset + room) return {};
      return {place(number(at), offset, room, geometry_.granule), room};
    }
    return {};
  }

  bool may_release(uint32_t) const noexcept { return true; }

  uint64_t release(uint32_t slot) noexcept {
    const uint64_t room = vacate(slot);
    slots_.give(slot);
    return room;
  }

  uint64_t room(uint32_t slot) const noexcept { return end_of(slot) - slots_[slot].offset; }
  uint64_t free_bytes() const noexcept { return free_bytes_; }
  uint64_t largest_free_bytes() const noexcept { return index_.largest(); }
  Work& work() noexcept { return work_; }

  bool adopt(uint32_t slot) {
    Slot& at = slots_[slot];
    const uint64_t room = at.size_class == kNoClass ? align_up(at.length, geometry_.granule)
                                                    : class_granules(at.size_class) * geometry_.granule;
    return adopt_room(slot, room);
  }
  // For a user of this map whose slots say otherwise how long they are.
  bool adopt_room(uint32_t slot, uint64_t room) {
    Slot& at = slots_[slot];
    const FreeRange tail = ranges_[number(last_)].place;
    if (room == 0 || at.offset < tail.start || at.offset % geometry_.granule != 0) return false;
    if (at.offset > tail.end || room > tail.end - at.offset) return false;
    reserve(geometry_.granule);
    append(slot, room);
    return true;
  }
  void finish_adoption() noexcept {
    if (!std::exchange(adopting_, false)) return;
    const uint32_t range = number(last_);
    if (ranges_[range].place.start == ranges_[range].place.end) {
      drop_empty();
    } else {
      index_.insert(range, ranges_[range].place);
    }
  }
  // Growing once for so many blocks is cheaper than on the way.
  void expect_adoptions(uint64_t blocks) {
    if (ranges_.size() >= blocks + 3) return;
    index_.reserve(blocks + 3, geometry_.granule);
    grow(blocks + 3);
  }

  template <typename Visit>
  void for_each_free(Visit visit) const {
    for (uint32_t at = first_; at != kNoSlot; at = next_of(at)) {
      if (is_free(at)) visit(ranges_[number(at)].place);
    }
  }

  // For the mover. All keep every block's length, and none needs memory that reserve() has not made.
  bool fits(uint64_t bytes, uint64_t alignment) const noexcept {
    return index_.find(align_up(bytes, geometry_.granule), alignment) != kNoRange;
  }
  // A slot for a part of a free range, as `next_of` names it; kNoSlot when no slot is left.
  uint32_t place_within(uint32_t free, uint64_t start, uint64_t room) noexcept {
    return place(number(free), start, room, geometry_.granule);
  }
  // To a lower start inside the free range before the block.
  void slide_down(uint32_t slot, uint64_t to) noexcept {
    const uint32_t range = number(slots_[slot].prior);
    const uint64_t room = vacate(slot);
    place_in(range, slot, to, room);
  }
  // Two slots with equal rooms trade their places. What `left` names is found at its new place with one store.
  void exchange(uint32_t left, uint32_t right) noexcept;
  const Index& index() const noexcept { return index_; }
  SlotTable& slots() noexcept { return slots_; }
  const Geometry& geometry() const noexcept { return geometry_; }

  // For whoever walks the segment: `first`, `next_of` and `prior_of` answer tagged numbers, kNoSlot at the ends.
  uint32_t first() const noexcept { return first_; }
  uint32_t last() const noexcept { return last_; }
  static bool is_free(uint32_t at) noexcept { return at != kNoSlot && (at & kFreeTag) != 0; }
  FreeRange free_place(uint32_t at) const noexcept { return ranges_[number(at)].place; }
  // For a plan that was made before: the range is still there, and free from `start` on for `room` bytes.
  bool is_free_place(uint32_t at, uint64_t start, uint64_t room) const noexcept {
    if (!is_free(at) || number(at) >= ranges_.size()) return false;
    const Range& range = ranges_[number(at)];
    if ((range.prior == kNoSlot ? first_ : next_of(range.prior)) != at) return false;
    return range.place.start <= start && start < range.place.end && room <= range.place.end - start;
  }
  uint32_t next_of(uint32_t at) const noexcept { return is_free(at) ? ranges_[number(at)].next : slots_[at].next; }
  uint32_t prior_of(uint32_t at) const noexcept { return is_free(at) ? ranges_[number(at)].prior : slots_[at].prior; }

 private:
  // Gives back the room of a slot and keeps the slot; answers the bytes.
  uint64_t vacate(uint32_t slot) noexcept;

  static constexpr uint32_t kFreeTag = uint32_t{1} << 31;  // slots have 24 bits

  struct alignas(32) Range {  // never on two cache lines
    FreeRange place;
    uint32_t prior = kNoSlot;  // slots: two free ranges never touch
    uint32_t next = kNoSlot;   // of a spare range: the next spare one
  };

  static uint32_t free_tag(uint32_t range) noexcept { return range | kFreeTag; }
  static uint32_t number(uint32_t at) noexcept { return at & ~kFreeTag; }

  size_t grown() const noexcept { return std::max<size_t>(64, ranges_.size() * 2); }
  void grow(size_t size) {
    ranges_.reserve(size);
    while (ranges_.size() < size) {
      ranges_.push_back({{}, kNoSlot, spare_});
      spare_ = static_cast<uint32_t>(ranges_.size() - 1);
    }
  }

  uint32_t add(FreeRange place, uint32_t prior, uint32_t next) noexcept {
    const uint32_t range = spare_;
    spare_ = ranges_[range].next;
    ranges_[range] = {place, prior, next};
    index_.insert(range, place);
    return range;
  }
  void drop(uint32_t range) noexcept {
    index_.erase(range, ranges_[range].place);
    spare(range);
  }
  void spare(uint32_t range) noexcept {
    ranges_[range].next = spare_;
    spare_ = range;
  }
  void change(uint32_t range, FreeRange after) noexcept {
    index_.change(range, ranges_[range].place, after);
    ranges_[range].place = after;
  }

  uint64_t start_of(uint32_t at) const noexcept {
    return is_free(at) ? ranges_[number(at)].place.start : slots_[at].offset;
  }
  uint64_t end_of(uint32_t slot) const noexcept {
    const uint32_t next = slots_[slot].next;
    return next == kNoSlot ? geometry_.capacity : start_of(next);
  }
  void link_prior(uint32_t at, uint32_t prior) noexcept {
    if (at == kNoSlot) {
      last_ = prior;
    } else if (is_free(at)) {
      ranges_[number(at)].prior = prior;
    } else {
      slots_[at].prior = prior;
    }
  }
  void link_next(uint32_t at, uint32_t next) noexcept {
    if (at == kNoSlot) {
      first_ = next;
    } else if (is_free(at)) {
      ranges_[number(at)].next = next;
    } else {
      slots_[at].next = next;
    }
  }

  uint32_t place(uint32_t range, uint64_t start, uint64_t room, uint64_t alignment) noexcept {
    const uint32_t slot = slots_.take();
    if (slot == kNoSlot) return kNoSlot;
    Slot& at = slots_[slot];
    at.size_class = kNoClass;
    at.alignment_log2 = static_cast<uint8_t>(std::countr_zero(alignment));
    place_in(range, slot, start, room);
    return slot;
  }

  // [start, start + room) of the range becomes the slot's; what is left before and behind stays free.
  void place_in(uint32_t range, uint32_t slot, uint64_t start, uint64_t room) noexcept {
    const FreeRange whole = ranges_[range].place;
    const uint32_t prior = ranges_[range].prior;
    const uint32_t next = ranges_[range].next;
    const uint64_t end = start + room;
    Slot& at = slots_[slot];
    at.offset = start;
    free_bytes_ -= room;
    ++live_;
    if (start > whole.start) {
      change(range, {whole.start, start});
      at.prior = free_tag(range);
      ranges_[range].next = slot;
      at.next = end < whole.end ? free_tag(add({end, whole.end}, slot, next)) : next;
    } else if (end < whole.end) {
      change(range, {end, whole.end});
      at.prior = prior;
      at.next = free_tag(range);
      ranges_[range].prior = slot;
      link_next(prior, slot);
      return;
    } else {
      drop(range);
      at.prior = prior;
      at.next = next;
      link_next(prior, slot);
    }
    link_prior(next, end < whole.end ? at.next : slot);
  }

  // Into the range at the end, which stays there even when it is empty. It changes with every block, so it is in no
  // index until all are adopted.
  void append(uint32_t slot, uint64_t room) noexcept {
    Slot& at = slots_[slot];
    const uint32_t range = number(last_);
    const FreeRange tail = ranges_[range].place;
    uint32_t rest = range;
    if (!std::exchange(adopting_, true)) index_.erase(range, tail);
    at.prior = at.offset > tail.start ? last_ : ranges_[range].prior;
    if (at.offset > tail.start) {
      rest = spare_;
      spare_ = ranges_[rest].next;
      ranges_[range].place = {tail.start, at.offset};
      index_.insert(range, ranges_[range].place);
    }
    link_next(at.prior, slot);
    at.next = last_ = free_tag(rest);
    ranges_[rest] = {{at.offset + room, tail.end}, slot, kNoSlot};
    free_bytes_ -= room;
    ++live_;
  }
  void drop_empty() noexcept {
    const uint32_t range = number(last_);
    const uint32_t prior = ranges_[range].prior;
    link_next(prior, kNoSlot);
    last_ = prior;
    spare(range);
  }

  SlotTable& slots_;
  Geometry geometry_;
  Work work_;
  Index index_;
  std::vector<Range> ranges_;
  uint32_t spare_ = kNoRange;
  uint32_t first_ = kNoSlot;
  uint32_t last_ = kNoSlot;
  uint64_t free_bytes_;
  uint64_t live_ = 0;  // slots that are linked here
  bool adopting_ = false;
};

template <RangeIndex Index>
uint64_t RangeMap<Index>::vacate(uint32_t slot) noexcept {
  const Slot& at = slots_[slot];
  const uint32_t prior = at.prior;
  const uint32_t next = at.next;
  const FreeRange freed{at.offset, end_of(slot)};
  free_bytes_ += freed.end - freed.start;
  --live_;
  if (is_free(prior)) {
    const uint32_t into = number(prior);
    if (is_free(next)) {
      const FreeRange behind = ranges_[number(next)].place;
      const uint32_t beyond = ranges_[number(next)].next;
      drop(number(next));
      change(into, {ranges_[into].place.start, behind.end});
      ranges_[into].next = beyond;
      link_prior(beyond, prior);
    } else {
      change(into, {ranges_[into].place.start, freed.end});
      ranges_[into].next = next;
      link_prior(next, prior);
    }
  } else if (is_free(next)) {
    const uint32_t into = number(next);
    change(into, {freed.start, ranges_[into].place.end});
    ranges_[into].prior = prior;
    link_next(prior, next);
  } else {
    const uint32_t range = free_tag(add(freed, prior, next));
    link_next(prior, range);
    link_prior(next, range);
  }
  return freed.end - freed.start;
}

template <RangeIndex Index>
void RangeMap<Index>::exchange(uint32_t left, uint32_t right) noexcept {
  const uint64_t to = slots_[right].offset;
  slots_[right].offset = slots_[left].offset;
  store_release(slots_[left].offset, to);
  if (slots_[right].next == left) std::swap(left, right);
  const uint32_t before = slots_[left].prior;
  const uint32_t behind_left = slots_[left].next;
  const uint32_t before_right = slots_[right].prior;
  const uint32_t behind = slots_[right].next;
  const bool adjacent = behind_left == right;
  slots_[right].prior = before;
  slots_[right].next = adjacent ? left : behind_left;
  slots_[left].prior = adjacent ? right : before_right;
  slots_[left].next = behind;
  link_next(before, right);
  link_prior(behind, left);
  if (!adjacent) {
    link_prior(behind_left, right);
    link_next(before_right, left);
  }
}

}  // namespace nautilus
