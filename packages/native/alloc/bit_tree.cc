// calloc and not std::vector: large zeroed memory comes untouched from the system, so a buddy arena over a
// huge segment pays only for the part it uses.
#include "alloc/bit_tree.h"

#include <bit>
#include <new>

namespace nautilus {

BitTree::BitTree(uint64_t members) : members_(members) {
  uint64_t words = members;
  do {
    words = (words + 63) / 64;
    if (words == 0) words = 1;
    auto* zeroed = static_cast<uint64_t*>(std::calloc(words, sizeof(uint64_t)));
    if (zeroed == nullptr) throw std::bad_alloc();
    std::unique_ptr<uint64_t, Free> level(zeroed);
    levels_.push_back(std::move(level));
  } while (words > 1);
}

void BitTree::insert(uint64_t member) noexcept {
  for (auto& level : levels_) {
    uint64_t& word = level.get()[member >> 6];
    const bool was_empty = word == 0;
    word |= uint64_t{1} << (member & 63);
    if (!was_empty) return;
    member >>= 6;
  }
}

void BitTree::erase(uint64_t member) noexcept {
  for (auto& level : levels_) {
    uint64_t& word = level.get()[member >> 6];
    word &= ~(uint64_t{1} << (member & 63));
    if (word != 0) return;
    member >>= 6;
  }
}

uint64_t BitTree::lowest() const noexcept {
  uint64_t member = 0;
  for (size_t level = levels_.size(); level-- > 0;) {
    member = (member << 6) + static_cast<uint64_t>(std::countr_zero(levels_[level].get()[member]));
  }
  return member;
}

}  // namespace nautilus
