// The rarer half of SmallestIndex: alignments above the granule.
#include "alloc/smallest_index.h"

namespace nautilus {

uint32_t SmallestIndex::find_aligned(uint32_t size, uint64_t alignment) const noexcept {
  for (const Aligned& aligned : aligned_) {
    work_.step();
    if (aligned.alignment == alignment) return aligned.usable.find(size);
  }
  return kNoRange;
}

void SmallestIndex::reserve_more(uint64_t ranges, uint64_t alignment) {
  ranges_.reserve(ranges);
  for (Aligned& aligned : aligned_) aligned.usable.reserve(ranges);
  if ((alignments_ & alignment) == 0) {
    Aligned fresh{alignment, SizeBins(granules(geometry_.capacity), work_)};
    fresh.usable.reserve(ranges);
    aligned_.reserve(aligned_.size() + 1);
    for (uint32_t range = 0; range < reserved_; ++range) {
      if (ranges_.size_of(range) != 0) insert_aligned(fresh, range, place_of(range));
    }
    aligned_.push_back(std::move(fresh));
    alignments_ |= alignment;
  }
  reserved_ = std::max(reserved_, ranges);
}

bool SmallestIndex::is_sound() const {
  if (!ranges_.is_sound()) return false;
  for (const Aligned& aligned : aligned_) {
    if (!aligned.usable.is_sound()) return false;
    for (uint32_t range = 0; range < reserved_; ++range) {
      const bool has_place = ranges_.size_of(range) != 0;
      const uint32_t expected = has_place ? usable(place_of(range), aligned.alignment) : 0;
      if (aligned.usable.size_of(range) != expected) return false;
    }
  }
  return true;
}

}  // namespace nautilus
