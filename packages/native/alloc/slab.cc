// What happens to whole slabs. A size gets its first slab when it was asked for often, and larger ones the more of
// it lives, so that rare sizes take no more room than they need. A slab that becomes empty goes back to the ranges
// unless it is current: a program that frees and allocates one block in turn must not open and close a slab each time.
#include "alloc/slab.h"

namespace nautilus {

Slab::Slab(SlotTable& slots, Geometry geometry)
    : slots_(slots),
      granule_log2_(static_cast<uint32_t>(std::countr_zero(geometry.granule))),
      largest_room_granules_(kLargestRoomBytes >> granule_log2_),
      ranges_(slots, geometry),
      pages_(1) {
  for (uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    if (class_granules(size_class) > largest_room_granules_) break;
    classes_[size_class].room_bytes = static_cast<uint32_t>(class_granules(size_class) << granule_log2_);
  }
}

void Slab::prepare(uint64_t alignment) {
  ranges_.reserve(alignment);
  arrays_.reserve();
  if (spare_ == kNone) {
    const size_t size = pages_.size();
    pages_.resize(std::max<size_t>(64, size * 2));
    for (size_t page = pages_.size(); page-- > size;) {
      pages_[page].prior = spare_;
      spare_ = static_cast<uint32_t>(page);
    }
  }
  prepared_for_ = alignment;
}

uint64_t Slab::room_of_range(uint32_t slot) const noexcept { return ranges_.room(slot); }
uint64_t Slab::release_range(uint32_t slot) noexcept { return ranges_.release(slot); }

Placed Slab::allocate_range(uint64_t bytes, uint64_t alignment) noexcept {
  prepared_for_ = 0;
  const Placed placed = ranges_.allocate(bytes, alignment);
  return placed.slot == kNoSlot && close_empty() ? ranges_.allocate(bytes, alignment) : placed;
}

Placed Slab::allocate_slow(uint64_t bytes, uint32_t size_class) noexcept {
  Class& of = classes_[size_class];
  while (true) {
    if (refill(of)) return take(pages_[of.current]);
    prepared_for_ = 0;
    if (of.current == kNone) {
      of.current = open(size_class);
      // A slab that took the last slot is closed by this, for the block needs that slot itself.
      if (of.current != kNone && refill(of)) return take(pages_[of.current]);
    }
    const Placed placed = ranges_.allocate(bytes, granule());
    if (placed.slot != kNoSlot) {
      ++of.demand;
      return placed;
    }
    // Empty slabs hold ranges, and slots. There are none the second time.
    if (!close_empty()) return {};
  }
}

// The current slab has no free room with a slot: it gets some, or another one becomes current, the one that has waited
// longest, because more of its rooms have come free meanwhile.
bool Slab::refill(Class& of) noexcept {
  if (of.current != kNone) {
    if (carve(of.current)) return true;
    const uint32_t page = std::exchange(of.current, kNone);
    if (is_full(pages_[page])) {
      pages_[page].heed_at = 1;
    } else if (is_empty(pages_[page])) {
      close(page);
    } else {
      wait(page);
    }
  }
  // Only when no slot is left is there a slab with rooms that have none; another one may have rooms that do.
  for (const uint32_t last = of.last_waiting; of.first_waiting != kNone;) {
    const uint32_t page = of.current = of.first_waiting;
    stop_waiting(page);
    pages_[page].heed_at = kNever;
    if (pages_[page].free != 0 || carve(page)) return true;
    if (page == last) return false;
    work().step();
    of.current = kNone;
    wait(page);
  }
  return false;
}

// Gives a free room its slot.
inline bool Slab::name(uint32_t page, uint32_t place) noexcept {
  const uint32_t slot = slots_.take();
  if (slot == kNoSlot) return false;
  Page& at = pages_[page];
  Slot& block = slots_[slot];
  block.size_class = at.size_class;
  block.alignment_log2 = static_cast<uint8_t>(granule_log2_);
  block.prior = kSlabTag | uint32_t{at.rooms} << kPlaceBits | place;
  block.next = page;
  block.offset = at.start + uint64_t{place} * at.room_bytes;
  at.arrays.slots[place] = slot;
  at.arrays.free[at.free++] = slot;
  return true;
}

// Slots for some of the rooms that have none; false when no slot is left, or no such room.
bool Slab::carve(uint32_t page) noexcept {
  Page& at = pages_[page];
  for (uint32_t place = at.bare != 0 ? at.carved : 0; place-- > 0;) {
    work().step();
    if (at.arrays.slots[place] != kNoSlot) continue;
    if (!name(page, place)) return at.free != 0;
    --at.bare;
  }
  const uint32_t first = at.carved;
  const uint32_t end = std::min<uint32_t>(at.rooms, first + kCarvedAtOnce);
  for (; at.carved < end; ++at.carved) {
    work().step();
    slots_.prefetch(8);
    if (!name(page, at.carved)) break;
  }
  // The lowest is taken first.
  std::reverse(&at.arrays.free[at.free - (at.carved - first)], &at.arrays.free[at.free]);
  return at.free != 0;
}

uint32_t Slab::open(uint32_t size_class) noexcept {
  const Class& of = classes_[size_class];
  if (of.demand < kDemandForSlab) return kNone;
  const uint64_t fewest = std::clamp<uint64_t>(kSmallSlabBytes / of.room_bytes, 4, 64);
  const uint64_t most = std::min<uint64_t>(kMostRooms, kMostSlabBytes / of.room_bytes);
  const uint64_t rooms = std::clamp<uint64_t>(of.demand / kDemandForRoom, fewest, most);
  const uint32_t slot = ranges_.allocate(rooms * of.room_bytes, granule()).slot;
  return slot == kNoSlot ? kNone : begin(slot, size_class, static_cast<uint32_t>(rooms));
}

// The range of this slot is a slab from now on, and as good as current.
uint32_t Slab::begin(uint32_t slot, uint32_t size_class, uint32_t rooms) noexcept {
  const uint32_t page = spare_;
  spare_ = pages_[page].prior;
  Page& at = pages_[page];
  at = Page{};
  at.start = slots_[slot].offset;
  at.arrays = arrays_.take(rooms);
  at.rooms = static_cast<uint16_t>(rooms);
  at.room_bytes = classes_[size_class].room_bytes;
  at.size_class = static_cast<uint8_t>(size_class);
  at.slot = slot;
  slots_.reserve(slot, kArenaOwner);
  slots_[slot].length = page;
  classes_[size_class].demand += rooms;
  return page;
}

// The block was reserved only, or its slot has no generation left and another one must stand for the room.
uint64_t Slab::release_unusual(uint32_t slot) noexcept {
  Slot& block = slots_[slot];
  const uint32_t page = block.next;
  const uint32_t place = place_of(block);
  const uint32_t word = load_relaxed(block.word);
  Page& at = pages_[page];
  if (state_of(word) != SlotState::kRetired) {
    store_release(block.word, slot_word(SlotState::kFree, generation_of(word)));
    at.arrays.free[at.free++] = slot;
  } else {
    slots_.give(slot);
    if (!name(page, place)) {
      at.arrays.slots[place] = kNoSlot;
      ++at.bare;
    }
  }
  const uint64_t room = at.room_bytes;
  heed(page);
  return room;
}

// A room came free, perhaps the first one or the last.
void Slab::heed(uint32_t page) noexcept {
  Page& at = pages_[page];
  if (classes_[at.size_class].current == page) return;
  if (is_empty(at)) {
    if (at.waits) stop_waiting(page);
    close(page);
  } else if (!at.waits) {
    wait(page);
  } else {
    at.heed_at = at.carved - at.bare;
  }
}

bool Slab::close_empty() noexcept {
  bool closed = false;
  for (Class& of : classes_) {
    work().step();
    if (of.current == kNone || !is_empty(pages_[of.current])) continue;
    close(std::exchange(of.current, kNone));
    closed = true;
  }
  return closed;
}

void Slab::close(uint32_t page) noexcept {
  Page& at = pages_[page];
  classes_[at.size_class].demand -= at.rooms;
  slots_.give_all({at.arrays.slots, at.carved});
  arrays_.give(at.arrays, at.rooms);
  ranges_.release(at.slot);
  at.rooms = 0;
  at.prior = spare_;
  spare_ = page;
}

void Slab::wait(uint32_t page) noexcept {
  Page& at = pages_[page];
  Class& of = classes_[at.size_class];
  at.waits = true;
  at.heed_at = at.carved - at.bare;
  at.prior = of.last_waiting;
  at.next = kNone;
  (at.prior == kNone ? of.first_waiting : pages_[at.prior].next) = page;
  of.last_waiting = page;
}

void Slab::stop_waiting(uint32_t page) noexcept {
  Page& at = pages_[page];
  Class& of = classes_[at.size_class];
  at.waits = false;
  (at.prior == kNone ? of.first_waiting : pages_[at.prior].next) = at.next;
  (at.next == kNone ? of.last_waiting : pages_[at.next].prior) = at.prior;
}

uint32_t Slab::page_at(uint32_t at) const noexcept {
  if (at == kNoSlot || FirstFit::is_free(at) || owner_of(load_relaxed(slots_[at].word)) != kArenaOwner) return kNone;
  const uint64_t page = slots_[at].length;
  return page < pages_.size() && pages_[page].slot == at ? static_cast<uint32_t>(page) : kNone;
}

bool Slab::is_usable(uint32_t at) const noexcept {
  const uint32_t page = page_at(at);
  return page == kNone ? FirstFit::is_free(at) : is_empty(pages_[page]);
}

uint64_t Slab::free_bytes() const noexcept {
  uint64_t bytes = ranges_.free_bytes();
  for (const Page& at : pages_) {
    if (at.rooms != 0) bytes += uint64_t{at.rooms - at.carved + at.free + at.bare} * at.room_bytes;
  }
  return bytes;
}

uint64_t Slab::largest_free_bytes() const noexcept {
  uint64_t largest = ranges_.largest_free_bytes();
  for (const Class& of : classes_) {
    if (of.current == kNone || !is_empty(pages_[of.current])) continue;
    uint32_t first = pages_[of.current].slot;
    while (is_usable(ranges_.prior_of(first))) first = ranges_.prior_of(first);
    uint64_t bytes = 0;
    for (uint32_t at = first; is_usable(at); at = ranges_.next_of(at)) {
      bytes += FirstFit::is_free(at) ? ranges_.free_place(at).end - ranges_.free_place(at).start : ranges_.room(at);
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

// Blocks of one slab come one after another. Each says where its slab is; what they say must agree. Free rooms get
// their slots later: now some slots are still needed for the slabs to come.
bool Slab::adopt(uint32_t slot) {
  Slot& block = slots_[slot];
  if (owner_of(block.word) == kArenaOwner) return false;
  if (!is_in_slab(block)) return ranges_.adopt(slot);
  const uint32_t place = place_of(block);
  const uint32_t rooms = rooms_of(block);
  if (block.size_class == kNoClass || rooms > kMostRooms || place >= rooms) return false;
  const uint64_t room = classes_[block.size_class].room_bytes;
  if (block.length == 0 || block.length > room || block.offset < place * room) return false;
  const uint64_t start = block.offset - place * room;
  if (adopting_ == kNone || pages_[adopting_].start != start) {
    prepare(granule());
    const uint32_t range = slots_.take();
    if (range == kNoSlot) return false;
    slots_[range].offset = start;
    slots_[range].size_class = kNoClass;
    prepared_for_ = 0;
    if (!ranges_.adopt_room(range, rooms * room)) {
      slots_.give(range);
      return false;
    }
    adopting_ = begin(range, block.size_class, rooms);
    wait(adopting_);
  }
  Page& at = pages_[adopting_];
  if (at.size_class != block.size_class || at.rooms != rooms || place < at.carved) return false;
  at.bare = static_cast<uint16_t>(at.bare + place - at.carved);
  while (at.carved < place) at.arrays.slots[at.carved++] = kNoSlot;
  at.arrays.slots[at.carved++] = slot;
  at.heed_at = at.carved - at.bare;
  block.next = adopting_;
  block.alignment_log2 = static_cast<uint8_t>(granule_log2_);
  if (is_full(at)) {
    stop_waiting(adopting_);
    at.heed_at = 1;
  }
  return true;
}

}  // namespace nautilus
