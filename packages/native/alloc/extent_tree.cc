// Recursion is bounded by the height of an AVL tree: 1.44 log2(n), 35 levels for the 16 million extents an
// arena can have.
#include "alloc/extent_tree.h"

#include <algorithm>
#include <bit>

#include "alloc/placement.h"

namespace nautilus {

void ExtentTree::reserve(size_t extents) {
  if (extents <= capacity_) return;
  const size_t grown = std::max<size_t>({extents, capacity_ * 2, 64});
  // Both vectors first, then the bookkeeping: if the second one throws, the surplus of the first is unused.
  nodes_.resize(std::max(grown, nodes_.size()));
  maxima_.resize(grown * classes_);
  for (size_t index = grown; index-- > capacity_;) {
    nodes_[index].left = spare_;
    spare_ = static_cast<Index>(index);
  }
  capacity_ = grown;
}

void ExtentTree::track_alignment(uint64_t alignment) {
  const size_t needed = class_of(alignment) + 1;
  if (needed <= classes_) return;
  std::vector<uint64_t> grown(capacity_ * needed);
  maxima_.swap(grown);
  classes_ = needed;
  pull_all(root_);
}

size_t ExtentTree::class_of(uint64_t alignment) const noexcept {
  return static_cast<size_t>(std::countr_zero(alignment) - std::countr_zero(granule_));
}

uint64_t ExtentTree::usable(const Extent& extent, size_t alignment_class) const noexcept {
  const uint64_t start = align_up(extent.start, granule_ << alignment_class);
  return start < extent.end ? extent.end - start : 0;
}

void ExtentTree::pull(Index node) noexcept {
  Node& at = nodes_[node];
  at.height = 1 + std::max(height(at.left), height(at.right));
  for (size_t c = 0; c < classes_; ++c) {
    maxima_[node * classes_ + c] =
        std::max({usable(at.extent, c), maximum(at.left, c), maximum(at.right, c)});
  }
}

void ExtentTree::pull_all(Index node) noexcept {
  if (node == kNone) return;
  pull_all(nodes_[node].left);
  pull_all(nodes_[node].right);
  pull(node);
}

std::optional<Extent> ExtentTree::lowest_fit(uint64_t bytes, uint64_t alignment) const noexcept {
  const size_t c = class_of(alignment);
  if (maximum(root_, c) < bytes) return std::nullopt;
  Index node = root_;
  for (;;) {
    const Node& at = nodes_[node];
    if (maximum(at.left, c) >= bytes) {
      node = at.left;
    } else if (usable(at.extent, c) >= bytes) {
      return at.extent;
    } else {
      node = at.right;
    }
  }
}

std::optional<Extent> ExtentTree::floor(uint64_t offset) const noexcept {
  std::optional<Extent> found;
  for (Index node = root_; node != kNone;) {
    const Node& at = nodes_[node];
    if (at.extent.start <= offset) {
      found = at.extent;
      node = at.right;
    } else {
      node = at.left;
    }
  }
  return found;
}

ExtentTree::Index ExtentTree::rotate_left(Index node) noexcept {
  const Index up = nodes_[node].right;
  nodes_[node].right = nodes_[up].left;
  nodes_[up].left = node;
  pull(node);
  pull(up);
  return up;
}

ExtentTree::Index ExtentTree::rotate_right(Index node) noexcept {
  const Index up = nodes_[node].left;
  nodes_[node].left = nodes_[up].right;
  nodes_[up].right = node;
  pull(node);
  pull(up);
  return up;
}

ExtentTree::Index ExtentTree::balance(Index node) noexcept {
  Node& at = nodes_[node];
  const int32_t lean = height(at.left) - height(at.right);
  if (lean > 1) {
    if (height(nodes_[at.left].left) < height(nodes_[at.left].right)) at.left = rotate_left(at.left);
    return rotate_right(node);
  }
  if (lean < -1) {
    if (height(nodes_[at.right].right) < height(nodes_[at.right].left)) at.right = rotate_right(at.right);
    return rotate_left(node);
  }
  pull(node);
  return node;
}

void ExtentTree::insert(Extent extent) noexcept {
  const Index added = spare_;
  spare_ = nodes_[added].left;
  nodes_[added] = Node{extent};
  pull(added);
  root_ = insert_into(root_, added);
  ++size_;
}

ExtentTree::Index ExtentTree::insert_into(Index node, Index added) noexcept {
  if (node == kNone) return added;
  Node& at = nodes_[node];
  if (nodes_[added].extent.start < at.extent.start) {
    at.left = insert_into(at.left, added);
  } else {
    at.right = insert_into(at.right, added);
  }
  return balance(node);
}

void ExtentTree::erase(uint64_t start) noexcept {
  root_ = erase_from(root_, start);
  --size_;
}

ExtentTree::Index ExtentTree::erase_from(Index node, uint64_t start) noexcept {
  Node& at = nodes_[node];
  if (start < at.extent.start) {
    at.left = erase_from(at.left, start);
    return balance(node);
  }
  if (start > at.extent.start) {
    at.right = erase_from(at.right, start);
    return balance(node);
  }
  const Index left = at.left;
  const Index right = at.right;
  at.left = spare_;
  spare_ = node;
  if (right == kNone) return left;
  Index first = kNone;
  const Index rest = detach_first(right, first);
  nodes_[first].left = left;
  nodes_[first].right = rest;
  return balance(first);
}

ExtentTree::Index ExtentTree::detach_first(Index node, Index& first) noexcept {
  Node& at = nodes_[node];
  if (at.left == kNone) {
    first = node;
    return at.right;
  }
  at.left = detach_first(at.left, first);
  return balance(node);
}

void ExtentTree::change(uint64_t start, Extent changed) noexcept { change_in(root_, start, changed); }

void ExtentTree::change_in(Index node, uint64_t start, Extent changed) noexcept {
  Node& at = nodes_[node];
  if (start < at.extent.start) {
    change_in(at.left, start, changed);
  } else if (start > at.extent.start) {
    change_in(at.right, start, changed);
  } else {
    at.extent = changed;
  }
  pull(node);
}

bool ExtentTree::is_consistent() const noexcept { return check(root_, 0, UINT64_MAX); }

bool ExtentTree::check(Index node, uint64_t low, uint64_t high) const noexcept {
  if (node == kNone) return true;
  const Node& at = nodes_[node];
  // Extents that touch should have been merged, hence strictly between the neighbours.
  if (at.extent.start < low || at.extent.end <= at.extent.start || at.extent.end > high) return false;
  if (at.height != 1 + std::max(height(at.left), height(at.right))) return false;
  if (height(at.left) - height(at.right) > 1 || height(at.right) - height(at.left) > 1) return false;
  for (size_t c = 0; c < classes_; ++c) {
    if (maximum(node, c) !=
        std::max({usable(at.extent, c), maximum(at.left, c), maximum(at.right, c)})) {
      return false;
    }
  }
  return check(at.left, low, at.extent.start - (at.extent.start > low ? 1 : 0)) &&
         check(at.right, at.extent.end + 1, high);
}

}  // namespace nautilus
