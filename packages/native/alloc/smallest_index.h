// The index of BEST_FIT: among the free ranges, one whose usable bytes at the alignment asked for are the smallest
// that are enough, so that large ranges stay whole for large blocks. Usable are the bytes from the first aligned
// address in a range to its end; at an alignment of one granule that is the whole range.
//
// An exact answer at a coarser alignment needs its own order of the ranges. It is built when the alignment is first
// reserved, in time linear in the ranges, and kept from then on: each alignment in use makes a change of the free
// ranges dearer by one more ordered set.
#pragma once

#include <vector>

#include "alloc/range_map.h"
#include "alloc/size_bins.h"

namespace nautilus {

class SmallestIndex {
 public:
  // May throw std::bad_alloc.
  SmallestIndex(Geometry geometry, Work& work)
      : geometry_(geometry),
        granule_log2_(static_cast<uint32_t>(std::countr_zero(geometry.granule))),
        work_(work),
        alignments_(geometry.granule),
        ranges_(static_cast<uint32_t>(geometry.capacity >> granule_log2_), work) {}

  void reserve(uint64_t ranges, uint64_t alignment) {
    if (ranges > reserved_ || (alignments_ & alignment) == 0) [[unlikely]] reserve_more(ranges, alignment);
  }

  void insert(uint32_t range, FreeRange place) noexcept {
    ranges_.insert(range, granules(place.start), granules(place.end - place.start));
    for (Aligned& aligned : aligned_) insert_aligned(aligned, range, place);
  }
  void erase(uint32_t range, FreeRange) noexcept {
    ranges_.erase(range);
    for (Aligned& aligned : aligned_) erase_aligned(aligned, range);
  }
  void change(uint32_t range, FreeRange before, FreeRange after) noexcept {
    erase(range, before);
    insert(range, after);
  }

  uint32_t find(uint64_t bytes, uint64_t alignment) const noexcept {
    if (bytes > geometry_.capacity) return kNoRange;
    if (alignment == geometry_.granule) return ranges_.find(granules(bytes));
    return find_aligned(granules(bytes), alignment);
  }

  uint64_t largest() const noexcept { return uint64_t{ranges_.largest()} << granule_log2_; }

  // For tests: whether every order is sound and all hold the same ranges.
  bool is_sound() const;

 private:
  static_assert(SizeBins::kNoMember == kNoRange);

  struct Aligned {
    uint64_t alignment;
    SizeBins usable;  // ranges without an aligned address are left out
  };

  uint32_t granules(uint64_t bytes) const noexcept { return static_cast<uint32_t>(bytes >> granule_log2_); }
  uint32_t usable(FreeRange place, uint64_t alignment) const noexcept {
    const uint64_t start = align_up(place.start, alignment);
    return start < place.end ? granules(place.end - start) : 0;
  }
  FreeRange place_of(uint32_t range) const noexcept {
    const uint64_t start = uint64_t{ranges_.start_of(range)} << granule_log2_;
    return {start, start + (uint64_t{ranges_.size_of(range)} << granule_log2_)};
  }

  void insert_aligned(Aligned& aligned, uint32_t range, FreeRange place) noexcept {
    work_.step();
    const uint32_t size = usable(place, aligned.alignment);
    if (size != 0) aligned.usable.insert(range, granules(place.start), size);
  }
  void erase_aligned(Aligned& aligned, uint32_t range) noexcept {
    work_.step();
    if (aligned.usable.size_of(range) != 0) aligned.usable.erase(range);
  }
  uint32_t find_aligned(uint32_t size, uint64_t alignment) const noexcept;
  void reserve_more(uint64_t ranges, uint64_t alignment);

  Geometry geometry_;
  uint32_t granule_log2_;
  Work& work_;
  uint64_t alignments_;  // bits: the granule, and every alignment in `aligned_`
  uint64_t reserved_ = 0;
  SizeBins ranges_;
  std::vector<Aligned> aligned_;
};

}  // namespace nautilus
