// A set of small integers in bits, with a summary bit for every 64 of them, and for every 64 of those, and so
// on: the lowest member is found in at most six steps, and nothing is ever allocated after construction.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace nautilus {

class BitTree {
 public:
  // Throws std::bad_alloc. The memory is zero pages of the system until a bit in them is set.
  explicit BitTree(uint64_t members);

  bool contains(uint64_t member) const noexcept {
    return member < members_ && ((levels_[0].get()[member >> 6] >> (member & 63)) & 1) != 0;
  }
  void insert(uint64_t member) noexcept;
  void erase(uint64_t member) noexcept;
  bool is_empty() const noexcept { return levels_.back().get()[0] == 0; }
  // The tree must not be empty.
  uint64_t lowest() const noexcept;

 private:
  struct Free {
    void operator()(uint64_t* words) const noexcept { std::free(words); }
  };
  uint64_t members_;
  std::vector<std::unique_ptr<uint64_t, Free>> levels_;  // from the bits to the one-word summary
};

}  // namespace nautilus
