// A set of small integers in bits, with a summary bit for every 64 of them, and for every 64 of those, and so
// on: the lowest member is found in at most six steps, and nothing is ever allocated.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nautilus {

class BitTree {
 public:
  static constexpr uint64_t kNone = UINT64_MAX;

  // Of memory that a tree of so many members needs, 1 to 2^32.
  static uint64_t words_for(uint64_t members) noexcept;

  BitTree() noexcept = default;
  // The words are zero and outlive the tree.
  BitTree(uint64_t members, uint64_t* words) noexcept;

  bool contains(uint64_t member) const noexcept {
    return member < members_ && ((levels_[0][member >> 6] >> (member & 63)) & 1) != 0;
  }
  bool is_empty() const noexcept { return levels_[top_][0] == 0; }

  void insert(uint64_t member) noexcept {
    for (uint32_t level = 0; level <= top_; ++level) {
      uint64_t& word = levels_[level][member >> 6];
      const uint64_t before = word;
      word = before | uint64_t{1} << (member & 63);
      if (before != 0) return;
      member >>= 6;
    }
  }
  void erase(uint64_t member) noexcept {
    for (uint32_t level = 0; level <= top_; ++level) {
      uint64_t& word = levels_[level][member >> 6];
      word &= ~(uint64_t{1} << (member & 63));
      if (word != 0) return;
      member >>= 6;
    }
  }
  // The tree must not be empty.
  uint64_t lowest() const noexcept {
    uint64_t member = 0;
    for (uint32_t level = top_ + 1; level-- > 0;) {
      member = (member << 6) + static_cast<uint64_t>(std::countr_zero(levels_[level][member]));
    }
    return member;
  }
  // The lowest member that is not below `from`, or kNone.
  uint64_t next(uint64_t from) const noexcept;

 private:
  static constexpr size_t kMostLevels = 6;  // 64^6 > 2^32

  uint64_t members_ = 0;
  uint32_t top_ = 0;                             // the level of one word
  std::array<uint64_t*, kMostLevels> levels_{};  // from the bits to the one-word summary
};

}  // namespace nautilus
