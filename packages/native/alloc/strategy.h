// What an arena asks of a strategy. A strategy knows offsets only: it never sees the memory it manages, so the same
// code serves a shared segment and a device heap. It is a plain class; the arena is a template over it, so a
// program that names its strategy pays no virtual call.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "alloc/size_class.h"
#include "alloc/slot_table.h"

namespace nautilus {

// Steps of loops, counted in every build: the bound on an operation's work is a figure and not a claim.
class Work {
 public:
  void step() noexcept { ++steps_; }
  // At the end of each operation.
  void finish() noexcept {
    if (steps_ == 0) return;
    if (steps_ > most_) most_ = steps_;
    total_ += steps_;
    steps_ = 0;
  }
  uint64_t most() const noexcept { return most_; }
  uint64_t total() const noexcept { return total_; }

 private:
  uint64_t steps_ = 0;
  uint64_t most_ = 0;
  uint64_t total_ = 0;
};

struct Geometry {
  uint64_t capacity = 0;  // bytes, a multiple of the granule; fewer than 2^32 granules
  uint64_t granule = 0;   // a power of two
};

// The slot of a block to come, kNoSlot when there is none, and the bytes that the block takes, rounding included.
struct Placed {
  uint32_t slot = kNoSlot;
  uint64_t room = 0;
};

struct FreeRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

template <typename S>
concept Strategy = requires(S s, const S constant, uint32_t slot, uint64_t number) {
  // S(SlotTable&, Geometry); may throw std::bad_alloc.
  // Makes room in private metadata for one allocation and one release. The only call that may throw
  // (std::bad_alloc); nothing observable changes.
  s.reserve(number /* alignment */);
  // bytes as asked, alignment at least the granule. Takes a slot and writes all of it but word and length. No slot
  // when nothing fits or none is left.
  { s.allocate(number /* bytes */, number /* alignment */) } noexcept -> std::same_as<Placed>;
  // Ordered strategies refuse; the others say true.
  { constant.may_release(slot) } noexcept -> std::same_as<bool>;
  // Gives back the room, then the slot; answers the bytes of the room.
  { s.release(slot) } noexcept -> std::same_as<uint64_t>;
  // Bytes that the slot's block takes, rounding included. Asked when its length stands in the slot.
  { constant.room(slot) } noexcept -> std::same_as<uint64_t>;
  { constant.free_bytes() } noexcept -> std::same_as<uint64_t>;
  { constant.largest_free_bytes() } noexcept -> std::same_as<uint64_t>;
  // Recovery into an empty strategy: live slots by rising offset, then finish. False when the place cannot be: it
  // overlaps, lies outside, or is none that this strategy gives; the strategy is then as before. room(slot) is right
  // as soon as it is adopted. May throw std::bad_alloc.
  { s.adopt(slot) } -> std::same_as<bool>;
  s.finish_adoption();
  { s.work() } noexcept -> std::same_as<Work&>;
  // s.for_each_free(visit): FreeRanges by rising offset, for trimming and maps.
};

}  // namespace nautilus
