// SLAB: fixed sizes without a search. A slab is a run of equal rooms. Each class allocates from a list of rooms of
// one slab, its current one; freed rooms go to lists of their own slabs until a slab is current again. Slabs, and
// blocks too large, too aligned or of too rare a size for one, come from a map of ranges at the lowest address.
#pragma once

#include <array>
#include <bitset>
#include <span>
#include <vector>

#include "alloc/first_fit.h"

namespace nautilus {

class Slab {
 public:
  // May throw std::bad_alloc.
  Slab(SlotTable& slots, Geometry geometry);
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  void reserve(uint64_t alignment) {
    if (alignment != prepared_for_) [[unlikely]] prepare(alignment);
  }

  uint32_t allocate(uint64_t bytes, uint64_t alignment) noexcept {
    const uint64_t granules = ((bytes - 1) >> granule_log2_) + 1;
    if (granules > largest_room_granules_ || (alignment >> granule_log2_) > 1) [[unlikely]] {
      return allocate_range(bytes, alignment);
    }
    const uint32_t size_class = class_for(granules);
    const uint32_t slot = classes_[size_class].free;
    if (slot == kNoSlot) [[unlikely]] return allocate_slow(bytes, size_class);
    return take(classes_[size_class], slot);
  }

  bool may_release(uint32_t) const noexcept { return true; }

  void release(uint32_t slot) noexcept {
    Slot& block = slots_[slot];
    if (!is_in_slab(block)) [[unlikely]] {
      release_range(slot);
      return;
    }
    const uint32_t page = block.next;
    Page& at = pages_[page];
    if (state_of(load_relaxed(block.word)) != SlotState::kFree) [[unlikely]] end_unusual(slot);
    free_in_slabs_ += classes_[block.size_class].room_bytes;
    block.next = at.free;
    if (at.free == kNoSlot) at.oldest_free = slot;
    at.free = slot;
    --at.taken;
    if (!at.waits || at.taken == 0) [[unlikely]] came_free(page);
  }

  uint64_t room(uint32_t slot) const noexcept {
    const Slot& block = slots_[slot];
    return is_in_slab(block) ? classes_[block.size_class].room_bytes : room_of_range(slot);
  }
  uint64_t free_bytes() const noexcept { return ranges_.free_bytes() + free_in_slabs_; }
  // Anything up to this fits at the alignment of a granule. Empty slabs count as free, rooms in others do not.
  uint64_t largest_free_bytes() const noexcept;

  // Before the first adoption: blocks by rising offset, so that each slab among them is sure of a slot for itself.
  void count_slabs(std::span<const PlacedSlot> live) noexcept;
  bool adopt(uint32_t slot);
  void finish_adoption() noexcept { ranges_.finish_adoption(); }

  template <typename Visit>
  void for_each_free(Visit visit) const;

  Work& work() noexcept { return ranges_.work(); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Tuned on traces of real programs: high water against the time of an event.
  static constexpr uint32_t kDemandForSlab = 16;  // blocks of a class before its first slab
  static constexpr uint32_t kDemandForRoom = 16;  // a new slab is 1/16 of what its class has
  static constexpr uint64_t kSmallSlabBytes = 4096;
  static constexpr uint64_t kMostSlabBytes = 131072;
  static constexpr uint64_t kLargestRoomBytes = 16384;
  static constexpr uint32_t kMostRooms = 1024;
  static constexpr uint32_t kCarvedAtOnce = 32;
  static constexpr uint32_t kArenaOwner = 255;  // no attachment has it, so no detaching frees a slab

  struct Class {
    uint32_t free = kNoSlot;  // the rooms to allocate next, all in the current slab
    uint32_t current = kNone;
    uint32_t room_bytes = 0;
    uint32_t first_waiting = kNone;  // slabs with free rooms that are not current
    uint32_t last_waiting = kNone;
    uint32_t demand = 0;  // rooms in slabs now, and blocks that were served without one
  };
  struct alignas(64) Page {
    uint64_t start = 0;
    uint32_t free = kNoSlot;  // rooms with a slot, newest first, that the class does not have
    uint32_t oldest_free = kNoSlot;
    uint32_t taken = 0;  // rooms that are live or that the class has
    uint32_t rooms = 0;
    uint32_t carved = 0;  // rooms that have a slot; the others lie behind them and are free
    uint32_t size_class = 0;
    uint32_t retired = 0;  // slots in `free` that may name no block again
    uint32_t slot = kNoSlot;  // the range's own
    uint32_t prior = kNone;   // in the list of slabs that wait; of a spare page: next spare
    uint32_t next = kNone;
    bool waits = false;  // has free rooms, or is current
  };

  // A slot in a slab: `prior` is place (bits 0-14) and number of rooms (15-29), so that recovery knows the slab from
  // any of its blocks, under a tag that no neighbour in the map of ranges has; `next` is the page, or of a free
  // room the next free one.
  static constexpr uint32_t kSlabTag = uint32_t{1} << 30;
  static constexpr uint32_t kPlaceBits = 15;
  static constexpr uint32_t kPlaceMask = (uint32_t{1} << kPlaceBits) - 1;
  static bool is_in_slab(const Slot& block) noexcept { return (block.prior >> 30) == 1; }
  static uint32_t place_of(const Slot& block) noexcept { return block.prior & kPlaceMask; }
  static uint32_t rooms_of(const Slot& block) noexcept { return (block.prior >> kPlaceBits) & kPlaceMask; }

  uint32_t take(Class& from, uint32_t slot) noexcept {
    from.free = slots_[slot].next;
    slots_[slot].next = from.current;
    free_in_slabs_ -= from.room_bytes;
    return slot;
  }

  uint64_t granule() const noexcept { return uint64_t{1} << granule_log2_; }
  // Of what the map of ranges holds: the page of a slab, kNone for anything else.
  uint32_t page_at(uint32_t at) const noexcept;
  bool is_empty(uint32_t page) const noexcept;
  bool is_usable(uint32_t at) const noexcept;

  // Out of line, so that the common case needs few registers.
  uint64_t room_of_range(uint32_t slot) const noexcept;
  void release_range(uint32_t slot) noexcept;

  void prepare(uint64_t alignment);
  uint32_t allocate_range(uint64_t bytes, uint64_t alignment) noexcept;
  uint32_t allocate_slow(uint64_t bytes, uint32_t size_class) noexcept;
  bool refill(Class& of) noexcept;
  bool refill_from(Class& of, Page& from) noexcept;
  void replace_retired(Class& of, Page& from) noexcept;
  uint32_t carve(Page& at) noexcept;
  uint32_t open(uint32_t size_class) noexcept;
  uint32_t begin(uint32_t slot, uint32_t size_class, uint32_t rooms) noexcept;
  void end_unusual(uint32_t slot) noexcept;
  void came_free(uint32_t page) noexcept;
  bool close_empty() noexcept;
  void close(uint32_t page) noexcept;
  void give_list(uint32_t slot) noexcept;
  void wait(uint32_t page) noexcept;
  void stop_waiting(uint32_t page) noexcept;

  SlotTable& slots_;
  uint32_t granule_log2_;
  uint32_t spare_ = kNone;
  uint64_t largest_room_granules_;
  uint64_t prepared_for_ = 0;  // the alignment that needs no memory now
  uint64_t free_in_slabs_ = 0;
  FirstFit ranges_;
  std::vector<Page> pages_;
  std::array<Class, kSizeClasses> classes_;
  uint32_t adopting_ = kNone;
  uint64_t slabs_to_adopt_ = 0;    // at most so many
  uint64_t slots_to_adopt_by_ = 0;  // free ones that are left for slabs and gaps
};

template <typename Visit>
void Slab::for_each_free(Visit visit) const {
  FreeRange found;
  const auto extend = [&](uint64_t start, uint64_t end) {
    if (start != found.end) {
      if (found.end > found.start) visit(found);
      found.start = start;
    }
    found.end = end;
  };
  for (uint32_t at = ranges_.first(); at != kNoSlot; at = ranges_.next_of(at)) {
    if (FirstFit::is_free(at)) {
      extend(ranges_.free_place(at).start, ranges_.free_place(at).end);
      continue;
    }
    const uint32_t page = page_at(at);
    if (page == kNone) continue;
    const Page& slab = pages_[page];
    const Class& of = classes_[slab.size_class];
    std::bitset<kMostRooms> free;
    for (uint32_t slot = slab.free; slot != kNoSlot; slot = slots_[slot].next) free.set(place_of(slots_[slot]));
    for (uint32_t slot = of.current == page ? of.free : kNoSlot; slot != kNoSlot; slot = slots_[slot].next) {
      free.set(place_of(slots_[slot]));
    }
    for (uint32_t place = 0; place < slab.rooms; ++place) {
      const uint64_t start = slab.start + uint64_t{place} * of.room_bytes;
      if (place >= slab.carved || free[place]) extend(start, start + of.room_bytes);
    }
  }
  if (found.end > found.start) visit(found);
}

}  // namespace nautilus
