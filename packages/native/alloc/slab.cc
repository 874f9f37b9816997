// What happens to whole slabs. A size gets its first slab when it was asked for often, and larger ones the more of
// it lives, so that rare sizes take no more room than they need. A slab that becomes empty goes back to the ranges
// unless it is current: a program that frees and allocates one block in turn must not open and close a slab each time.
#include "alloc/slab.h"

namespace nautilus {

Slab::Slab(SlotTable& slots, Geometry geometry)
    : slots_(slots),
      granule_log2_(static_cast<uint32_t>(std::countr_zero(geometry.granule))),
      largest_room_granules_(kLargestRoomBytes >> granule_log2_),
      ranges_(slots, geometry) {
  for (uint32_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    if (class_granules(size_class) > largest_room_granules_) break;
    classes_[size_class].room_bytes = static_cast<uint32_t>(class_granules(size_class) << granule_log2_);
  }
}

void Slab::prepare(uint64_t alignment) {
  ranges_.reserve(alignment);
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
void Slab::release_range(uint32_t slot) noexcept { ranges_.release(slot); }

uint32_t Slab::allocate_range(uint64_t bytes, uint64_t alignment) noexcept {
  prepared_for_ = 0;
  const uint32_t slot = ranges_.allocate(bytes, alignment);
  return slot == kNoSlot && close_empty() ? ranges_.allocate(bytes, alignment) : slot;
}

uint32_t Slab::allocate_slow(uint64_t bytes, uint32_t size_class) noexcept {
  Class& of = classes_[size_class];
  while (true) {
    if (refill(of)) return take(of, of.free);
    prepared_for_ = 0;
    if (of.current == kNone) {
      of.current = open(size_class);
      // A slab that took the last slot is closed by this, for the block needs that slot itself.
      if (of.current != kNone && refill(of)) return take(of, of.free);
    }
    const uint32_t slot = ranges_.allocate(bytes, granule());
    if (slot != kNoSlot) {
      ++of.demand;
      return slot;
    }
    // Empty slabs hold ranges, and slots. There are none the second time.
    if (!close_empty()) return kNoSlot;
  }
}

// Rooms for the class, which has none: from its current slab, else from the one that has waited longest. More of its
// rooms have come free meanwhile.
bool Slab::refill(Class& of) noexcept {
  if (of.current != kNone) {
    Page& at = pages_[of.current];
    if (refill_from(of, at)) return true;
    if (at.free == kNoSlot && at.carved == at.rooms) {
      at.waits = false;
    } else if (at.taken == 0) {
      close(of.current);
    } else {
      wait(of.current);
    }
    of.current = kNone;
  }
  // Only when no slot is left is there a slab with rooms that have none; another one may have rooms that do.
  for (const uint32_t last = of.last_waiting; of.first_waiting != kNone;) {
    of.current = of.first_waiting;
    stop_waiting(of.current);
    if (refill_from(of, pages_[of.current])) return true;
    if (of.current == last) return false;
    work().step();
    wait(of.current);
  }
  return false;
}

bool Slab::refill_from(Class& of, Page& from) noexcept {
  if (from.retired != 0) {
    replace_retired(of, from);
  } else {
    of.free = from.free;
    from.free = kNoSlot;
    from.taken = from.carved;
  }
  if (of.free != kNoSlot) return true;
  uint32_t last = kNoSlot;
  for (uint32_t count = 0; count < kCarvedAtOnce && from.carved < from.rooms; ++count) {
    work().step();
    const uint32_t slot = carve(from);
    if (slot == kNoSlot) break;
    ++from.taken;
    (last == kNoSlot ? of.free : slots_[last].next) = slot;
    last = slot;
  }
  if (last != kNoSlot) slots_[last].next = kNoSlot;
  return last != kNoSlot;
}

// A retired slot stands for its room until another slot is there to do so.
void Slab::replace_retired(Class& of, Page& from) noexcept {
  uint32_t left = kNoSlot;
  for (uint32_t at = from.free; at != kNoSlot;) {
    work().step();
    const uint32_t next = slots_[at].next;
    uint32_t slot = at;
    if (state_of(load_relaxed(slots_[at].word)) == SlotState::kRetired && (slot = slots_.take()) != kNoSlot) {
      slots_[slot].size_class = slots_[at].size_class;
      slots_[slot].alignment_log2 = slots_[at].alignment_log2;
      slots_[slot].prior = slots_[at].prior;
      slots_[slot].offset = slots_[at].offset;
      slots_.give(at);
      --from.retired;
    }
    uint32_t& list = slot == kNoSlot ? left : of.free;
    if (slot == kNoSlot) slot = at;
    if (left == kNoSlot) from.oldest_free = slot;
    slots_[slot].next = list;
    list = slot;
    at = next;
  }
  from.free = left;
  from.taken = from.carved - from.retired;
}

// The next room behind those that have a slot is given one.
uint32_t Slab::carve(Page& at) noexcept {
  const uint32_t slot = slots_.take();
  if (slot == kNoSlot) return kNoSlot;
  Slot& block = slots_[slot];
  block.size_class = static_cast<uint8_t>(at.size_class);
  block.alignment_log2 = static_cast<uint8_t>(granule_log2_);
  block.prior = kSlabTag | at.rooms << kPlaceBits | at.carved;
  block.offset = at.start + uint64_t{at.carved} * classes_[at.size_class].room_bytes;
  ++at.carved;
  return slot;
}

uint32_t Slab::open(uint32_t size_class) noexcept {
  const Class& of = classes_[size_class];
  if (of.demand < kDemandForSlab) return kNone;
  const uint64_t fewest = std::clamp<uint64_t>(kSmallSlabBytes / of.room_bytes, 4, 64);
  const uint64_t most = std::min<uint64_t>(kMostRooms, kMostSlabBytes / of.room_bytes);
  const uint64_t rooms = std::clamp<uint64_t>(of.demand / kDemandForRoom, fewest, most);
  const uint32_t slot = ranges_.allocate(rooms * of.room_bytes, granule());
  return slot == kNoSlot ? kNone : begin(slot, size_class, static_cast<uint32_t>(rooms));
}

// The range of this slot is a slab from now on, and as good as current.
uint32_t Slab::begin(uint32_t slot, uint32_t size_class, uint32_t rooms) noexcept {
  const uint32_t page = spare_;
  spare_ = pages_[page].prior;
  Page& at = pages_[page];
  at = Page{};
  at.start = slots_[slot].offset;
  at.rooms = rooms;
  at.size_class = size_class;
  at.slot = slot;
  at.waits = true;
  slots_.reserve(slot, kArenaOwner);
  slots_[slot].length = page;
  free_in_slabs_ += uint64_t{rooms} * classes_[size_class].room_bytes;
  classes_[size_class].demand += rooms;
  return page;
}

// The block was reserved only, or its slot has no generation left.
void Slab::end_unusual(uint32_t slot) noexcept {
  const uint32_t word = load_relaxed(slots_[slot].word);
  if (state_of(word) == SlotState::kRetired) {
    ++pages_[slots_[slot].next].retired;
  } else {
    store_release(slots_[slot].word, slot_word(SlotState::kFree, generation_of(word)));
  }
}

// The slab has its first free room again, or no other than free ones.
void Slab::came_free(uint32_t page) noexcept {
  Page& at = pages_[page];
  if (!at.waits) wait(page);
  if (at.taken != 0 || classes_[at.size_class].current == page) return;
  stop_waiting(page);
  close(page);
}

bool Slab::close_empty() noexcept {
  bool closed = false;
  for (Class& of : classes_) {
    work().step();
    if (of.current == kNone || !is_empty(of.current)) continue;
    give_list(of.free);
    of.free = kNoSlot;
    close(of.current);
    of.current = kNone;
    closed = true;
  }
  return closed;
}

void Slab::close(uint32_t page) noexcept {
  Page& at = pages_[page];
  Class& of = classes_[at.size_class];
  free_in_slabs_ -= uint64_t{at.rooms} * of.room_bytes;
  of.demand -= at.rooms;
  if (at.retired != 0) {
    give_list(at.free);
  } else if (at.free != kNoSlot) {
    slots_.give_all(at.free, at.oldest_free);
  }
  ranges_.release(at.slot);
  at.prior = spare_;
  spare_ = page;
}

void Slab::give_list(uint32_t slot) noexcept {
  while (slot != kNoSlot) {
    work().step();
    const uint32_t next = slots_[slot].next;
    slots_.give(slot);
    slot = next;
  }
}

void Slab::wait(uint32_t page) noexcept {
  Page& at = pages_[page];
  Class& of = classes_[at.size_class];
  at.waits = true;
  at.prior = of.last_waiting;
  at.next = kNone;
  (at.prior == kNone ? of.first_waiting : pages_[at.prior].next) = page;
  of.last_waiting = page;
}

void Slab::stop_waiting(uint32_t page) noexcept {
  const Page& at = pages_[page];
  Class& of = classes_[at.size_class];
  (at.prior == kNone ? of.first_waiting : pages_[at.prior].next) = at.next;
  (at.next == kNone ? of.last_waiting : pages_[at.next].prior) = at.prior;
}

uint32_t Slab::page_at(uint32_t at) const noexcept {
  if (at == kNoSlot || FirstFit::is_free(at) || owner_of(load_relaxed(slots_[at].word)) != kArenaOwner) return kNone;
  const uint64_t page = slots_[at].length;
  return page < pages_.size() && pages_[page].slot == at ? static_cast<uint32_t>(page) : kNone;
}

bool Slab::is_empty(uint32_t page) const noexcept {
  const Class& of = classes_[pages_[page].size_class];
  uint32_t taken = pages_[page].taken;
  if (of.current != page) return taken == 0;
  for (uint32_t slot = of.free; slot != kNoSlot; slot = slots_[slot].next) --taken;
  return taken == 0;
}

bool Slab::is_usable(uint32_t at) const noexcept {
  const uint32_t page = page_at(at);
  return page == kNone ? FirstFit::is_free(at) : is_empty(page);
}

uint64_t Slab::largest_free_bytes() const noexcept {
  uint64_t largest = ranges_.largest_free_bytes();
  for (const Class& of : classes_) {
    if (of.current == kNone || !is_empty(of.current)) continue;
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

void Slab::count_slabs(std::span<const PlacedSlot> live) noexcept {
  slots_to_adopt_by_ = slots_.spare_after_rebuild(live.size());
  slabs_to_adopt_ = 0;
  uint64_t before = UINT64_MAX;
  for (const PlacedSlot& placed : live) {
    const Slot& block = slots_[placed.slot];
    if (!is_in_slab(block) || block.size_class == kNoClass) continue;
    const uint64_t start = block.offset - uint64_t{place_of(block)} * classes_[block.size_class].room_bytes;
    slabs_to_adopt_ += start != before ? 1 : 0;
    before = start;
  }
}

// Blocks of one slab come one after another. Each says where its slab is; what they say must agree.
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
    slots_to_adopt_by_ -= std::min<uint64_t>(1, slots_to_adopt_by_);
    slabs_to_adopt_ -= std::min<uint64_t>(1, slabs_to_adopt_);
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
  // A gap may need a fresh slot where a retired one stood, and must not take it from a slab that is still to come.
  while (at.carved < place && slots_to_adopt_by_ > slabs_to_adopt_) {
    const uint32_t gap = carve(at);
    if (gap == kNoSlot) break;
    --slots_to_adopt_by_;
    if (at.free == kNoSlot) at.oldest_free = gap;
    slots_[gap].next = at.free;
    at.free = gap;
  }
  // Without slots, which retired ones may have used up, the rooms before the block are lost; the block is not.
  const uint32_t taken = place + 1 - at.carved;
  at.carved += taken;
  at.taken += taken;
  free_in_slabs_ -= taken * room;
  block.next = adopting_;
  block.alignment_log2 = static_cast<uint8_t>(granule_log2_);
  if (at.taken == rooms) {
    stop_waiting(adopting_);
    at.waits = false;
  }
  return true;
}

}  // namespace nautilus
