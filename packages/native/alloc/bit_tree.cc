// Words of all levels lie one behind the other, the bits first.
#include "alloc/bit_tree.h"

namespace nautilus {
namespace {

constexpr uint64_t words_of_level(uint64_t members) noexcept { return (members + 63) / 64; }

}  // namespace

uint64_t BitTree::words_for(uint64_t members) noexcept {
  uint64_t words = words_of_level(members);
  uint64_t total = words;
  while (words > 1) {
    words = words_of_level(words);
    total += words;
  }
  return total;
}

BitTree::BitTree(uint64_t members, uint64_t* words) noexcept : members_(members) {
  for (uint64_t of_level = words_of_level(members);; of_level = words_of_level(of_level)) {
    levels_[top_] = words;
    words += of_level;
    if (of_level == 1) break;
    ++top_;
  }
}

uint64_t BitTree::next(uint64_t from) const noexcept {
  // Up to the first level whose word has something at or behind the place, then down to its lowest member.
  uint64_t place = from;
  for (uint32_t level = 0; level <= top_; ++level) {
    if (place > (members_ - 1) >> (6 * level)) return kNone;
    const uint64_t rest = levels_[level][place >> 6] & (~uint64_t{0} << (place & 63));
    if (rest == 0) {
      place = (place >> 6) + 1;
      continue;
    }
    place = (place & ~uint64_t{63}) + static_cast<uint64_t>(std::countr_zero(rest));
    while (level-- > 0) place = (place << 6) + static_cast<uint64_t>(std::countr_zero(levels_[level][place]));
    return place;
  }
  return kNone;
}

}  // namespace nautilus
