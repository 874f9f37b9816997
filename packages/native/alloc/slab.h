// SLAB: fixed sizes without a search. A slab is a run of equal rooms. Each class allocates from one slab, its current
// one; when that is full, the slab that has waited longest with free rooms becomes current. Slabs, and blocks too large,
// too aligned or of too rare a size for one, come from a map of ranges at the lowest address.
#pragma once

#include <array>
#include <bitset>
#include <vector>

#include "alloc/first_fit.h"
#include "alloc/room_arrays.h"

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

  Placed allocate(uint64_t bytes, uint64_t alignment) noexcept {
    const uint64_t granules = ((bytes - 1) >> granule_log2_) + 1;
    if (granules > largest_room_granules_ || (alignment >> granule_log2_) > 1) [[unlikely]] {
      return allocate_range(bytes, alignment);
    }
    const uint32_t size_class = class_for(granules);
    Page& at = pages_[classes_[size_class].current];
    return at.free != 0 ? take(at) : allocate_slow(bytes, size_class);
  }

  bool may_release(uint32_t) const noexcept { return true; }

  uint64_t release(uint32_t slot) noexcept {
    const Slot& block = slots_[slot];
    if (!is_in_slab(block)) [[unlikely]] return release_range(slot);
    if (state_of(load_relaxed(block.word)) != SlotState::kFree) [[unlikely]] return release_unusual(slot);
    Page& at = pages_[block.next];
    const uint64_t room = at.room_bytes;
    at.arrays.free[at.free++] = slot;
    if (at.free == at.heed_at) [[unlikely]] heed(block.next);
    return room;
  }

  uint64_t room(uint32_t slot) const noexcept {
    const Slot& block = slots_[slot];
    return is_in_slab(block) ? classes_[block.size_class].room_bytes : room_of_range(slot);
  }
  // Walks the slabs.
  uint64_t free_bytes() const noexcept;
  // Anything up to this fits at the alignment of a granule. Empty slabs count as free, rooms in others do not.
  uint64_t largest_free_bytes() const noexcept;

  bool adopt(uint32_t slot);
  void finish_adoption() noexcept { ranges_.finish_adoption(); }

  template <typename Visit>
  void for_each_free(Visit visit) const;

  Work& work() noexcept { return ranges_.work(); }

 private:
  static constexpr uint32_t kNone = 0;  // the page that is always there and always empty-handed
  static constexpr uint32_t kNever = UINT32_MAX;
  // Tuned on traces of real programs: high water against the time of an event.
  static constexpr uint32_t kDemandForSlab = 16;  // blocks of a class before its first slab
  static constexpr uint32_t kDemandForRoom = 16;  // a new slab is 1/16 of what its class has
  static constexpr uint64_t kSmallSlabBytes = 4096;
  static constexpr uint64_t kMostSlabBytes = 131072;
  static constexpr uint64_t kLargestRoomBytes = 16384;
  static constexpr uint32_t kMostRooms = RoomArrayPool::kMostRooms;
  static constexpr uint32_t kCarvedAtOnce = 32;
  static constexpr uint32_t kArenaOwner = 255;  // no attachment has it, so no detaching frees a slab

  struct Class {
    uint32_t current = kNone;
    uint32_t room_bytes = 0;
    uint32_t first_waiting = kNone;  // slabs with free rooms that are not current
    uint32_t last_waiting = kNone;
    uint32_t demand = 0;  // rooms in slabs now, and blocks that were served without one
  };
  struct alignas(64) Page {
    uint64_t start = 0;
    RoomArrays arrays;
    uint32_t free = 0;          // rooms that are free and have a slot
    uint32_t heed_at = kNever;  // so many free rooms change what the slab is: 1 when it was full, all when it waits
    uint32_t room_bytes = 0;
    uint32_t slot = kNoSlot;    // the range's own
    uint32_t prior = kNone;     // in the list of slabs that wait; of a spare page: next spare
    uint32_t next = kNone;
    uint16_t rooms = 0;         // 0: no slab
    uint16_t carved = 0;        // rooms whose slots the arrays know; the others lie behind them and are free
    uint16_t bare = 0;          // of the carved: free rooms without a slot
    uint8_t size_class = 0;
    bool waits = false;
  };
  static_assert(sizeof(Page) == 64);

  // A slot in a slab: `prior` is place (bits 0-14) and number of rooms (15-29), so that recovery knows the slab from
  // any of its blocks, under a tag that no neighbour in the map of ranges has; `next` is the page.
  static constexpr uint32_t kSlabTag = uint32_t{1} << 30;
  static constexpr uint32_t kPlaceBits = 15;
  static constexpr uint32_t kPlaceMask = (uint32_t{1} << kPlaceBits) - 1;
  static bool is_in_slab(const Slot& block) noexcept { return (block.prior >> 30) == 1; }
  static uint32_t place_of(const Slot& block) noexcept { return block.prior & kPlaceMask; }
  static uint32_t rooms_of(const Slot& block) noexcept { return (block.prior >> kPlaceBits) & kPlaceMask; }

  static Placed take(Page& from) noexcept { return {from.arrays.free[--from.free], from.room_bytes}; }
  static bool is_empty(const Page& at) noexcept { return at.free + at.bare == at.carved; }
  static bool is_full(const Page& at) noexcept { return at.free + at.bare == 0 && at.carved == at.rooms; }

  uint64_t granule() const noexcept { return uint64_t{1} << granule_log2_; }
  // Of what the map of ranges holds: the page of a slab, kNone for anything else.
  uint32_t page_at(uint32_t at) const noexcept;
  bool is_usable(uint32_t at) const noexcept;

  // Out of line, so that the common case needs few registers.
  uint64_t room_of_range(uint32_t slot) const noexcept;
  uint64_t release_range(uint32_t slot) noexcept;
  uint64_t release_unusual(uint32_t slot) noexcept;

  void prepare(uint64_t alignment);
  Placed allocate_range(uint64_t bytes, uint64_t alignment) noexcept;
  Placed allocate_slow(uint64_t bytes, uint32_t size_class) noexcept;
  bool refill(Class& of) noexcept;
  bool carve(uint32_t page) noexcept;
  bool name(uint32_t page, uint32_t place) noexcept;
  uint32_t open(uint32_t size_class) noexcept;
  uint32_t begin(uint32_t slot, uint32_t size_class, uint32_t rooms) noexcept;
  void heed(uint32_t page) noexcept;
  bool close_empty() noexcept;
  void close(uint32_t page) noexcept;
  void wait(uint32_t page) noexcept;
  void stop_waiting(uint32_t page) noexcept;

  SlotTable& slots_;
  uint32_t granule_log2_;
  uint32_t spare_ = kNone;
  uint64_t largest_room_granules_;
  uint64_t prepared_for_ = 0;  // the alignment that needs no memory now
  FirstFit ranges_;
  RoomArrayPool arrays_;
  std::vector<Page> pages_;
  std::array<Class, kSizeClasses> classes_;
  uint32_t adopting_ = kNone;
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
    const Page& slab = pages_[page_at(at)];
    const uint64_t room = slab.room_bytes;
    std::bitset<kMostRooms> free;
    for (uint32_t which = 0; which < slab.free; ++which) free.set(place_of(slots_[slab.arrays.free[which]]));
    for (uint32_t place = 0; place < slab.rooms; ++place) {
      const uint64_t start = slab.start + place * room;
      if (place >= slab.carved || free[place] || slab.arrays.slots[place] == kNoSlot) extend(start, start + room);
    }
  }
  if (found.end > found.start) visit(found);
}

}  // namespace nautilus
