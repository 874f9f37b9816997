// The free ranges of a segment, ordered by address: an AVL tree in which every node also knows the largest
// block its subtree can hold. Finding the lowest address that fits is therefore one walk from root to leaf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nautilus {

struct Extent {
  uint64_t start = 0;
  uint64_t end = 0;
};

class ExtentTree {
 public:
  explicit ExtentTree(uint64_t granule) : granule_(granule) {}

  // May throw; afterwards the tree holds up to `extents` extents without allocating.
  void reserve(size_t extents);

  // A range that is long enough may still be too short once its start is aligned, so each alignment in use
  // has maxima of its own. The first request with a new alignment pays O(n) once; may throw.
  void track_alignment(uint64_t alignment);

  // The extent with the lowest address that holds bytes at the alignment (which must be tracked).
  std::optional<Extent> lowest_fit(uint64_t bytes, uint64_t alignment) const noexcept;
  // The last extent that starts at or before the offset.
  std::optional<Extent> floor(uint64_t offset) const noexcept;

  void insert(Extent extent) noexcept;
  void erase(uint64_t start) noexcept;
  // Changes the extent that starts at `start`; it must not pass its neighbours.
  void change(uint64_t start, Extent changed) noexcept;

  size_t size() const noexcept { return size_; }
  uint64_t largest_bytes() const noexcept { return root_ == kNone ? 0 : maxima_[root_ * classes_]; }

  // For tests: order, balance and maxima hold in every node.
  bool is_consistent() const noexcept;

 private:
  using Index = uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  struct Node {
    Extent extent;
    Index left = kNone;  // of a spare node: the next spare one
    Index right = kNone;
    int32_t height = 1;
  };

  size_t class_of(uint64_t alignment) const noexcept;
  uint64_t usable(const Extent& extent, size_t alignment_class) const noexcept;
  int32_t height(Index node) const noexcept { return node == kNone ? 0 : nodes_[node].height; }
  uint64_t maximum(Index node, size_t alignment_class) const noexcept {
    return node == kNone ? 0 : maxima_[node * classes_ + alignment_class];
  }
  void pull(Index node) noexcept;
  void pull_all(Index node) noexcept;
  Index rotate_left(Index node) noexcept;
  Index rotate_right(Index node) noexcept;
  Index balance(Index node) noexcept;
  Index insert_into(Index node, Index added) noexcept;
  Index erase_from(Index node, uint64_t start) noexcept;
  Index detach_first(Index node, Index& first) noexcept;
  void change_in(Index node, uint64_t start, Extent changed) noexcept;
  bool check(Index node, uint64_t low, uint64_t high) const noexcept;

  uint64_t granule_;
  std::vector<Node> nodes_;
  std::vector<uint64_t> maxima_;  // classes_ per node
  size_t classes_ = 1;            // alignments tracked: granule << 0 .. granule << (classes_ - 1)
  size_t capacity_ = 0;
  size_t size_ = 0;
  Index root_ = kNone;
  Index spare_ = kNone;
};

}  // namespace nautilus
