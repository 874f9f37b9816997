// The rare paths of the tree: growing, splitting, merging, and alignments seen for the first time. A node splits
// into two of at least 12, and one that falls below 8 is merged or filled up, so n ranges need at most n / 7 nodes,
// which reserve() has at hand.
#include "alloc/lowest_index.h"

#include <algorithm>

namespace nautilus {

namespace {

constexpr uint32_t lowest_bits(uint32_t count) noexcept {
  return count == 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
}

uint32_t lane_number(uint32_t lanes) noexcept { return static_cast<uint32_t>(std::countr_zero(lanes)); }

}  // namespace

LowestIndex::LowestIndex(Geometry geometry, Work& work)
    : work_(work),
      granule_log2_(static_cast<unsigned>(std::countr_zero(geometry.granule))),
      granule_(geometry.granule) {
  grow(1);
  take_node(kAnchor);  // the anchor itself
  const uint32_t root = take_node(kAnchor);
  Node& anchor = nodes_[kAnchor];
  anchor.count = 1;
  anchor.child[0] = root;
  nodes_[root].low = kLeastLane;
  nodes_[root].high = kNoStart;
}

// Everything is allocated before anything changes.
void LowestIndex::grow(uint64_t ranges) {
  const uint64_t nodes = ranges / 7 + 8;
  std::unique_ptr<std::byte[]> memory(new std::byte[nodes * sizeof(Node) + kCacheLine]);
  std::unique_ptr<uint32_t[]> home(new uint32_t[ranges]);
  std::vector<Aligned> aligned;
  for (const Aligned& from : aligned_) {
    aligned.push_back({from.alignment, std::unique_ptr<int32_t[]>(new int32_t[nodes * kLanes])});
  }
  void* start = memory.get();
  size_t space = nodes * sizeof(Node) + kCacheLine;
  auto* const moved = static_cast<Node*>(std::align(kCacheLine, nodes * sizeof(Node), start, space));
  std::uninitialized_copy_n(nodes_, nodes_used_, moved);
  std::copy_n(home_.get(), range_capacity_, home.get());
  for (size_t i = 0; i < aligned.size(); ++i) {
    std::copy_n(aligned_[i].sizes.get(), size_t{nodes_used_} * kLanes, aligned[i].sizes.get());
  }
  nodes_ = moved;
  memory_ = std::move(memory);
  home_ = std::move(home);
  aligned_ = std::move(aligned);
  node_capacity_ = nodes;
  range_capacity_ = ranges;
}

void LowestIndex::track(uint64_t alignment) {
  aligned_.reserve(aligned_.size() + 1);
  Aligned aligned{alignment, std::unique_ptr<int32_t[]>(new int32_t[node_capacity_ * kLanes])};
  track_below(nodes_[kAnchor].child[0], height_, aligned);
  AlignedSizes{aligned.sizes.get()}(kAnchor)[0] =
      greatest_lane(AlignedSizes{aligned.sizes.get()}(nodes_[kAnchor].child[0]));
  aligned_.push_back(std::move(aligned));
  tracked_ |= alignment;
}

void LowestIndex::track_below(uint32_t node, uint32_t level, const Aligned& aligned) noexcept {
  const AlignedSizes sizes{aligned.sizes.get()};
  const Node& at = nodes_[node];
  std::fill_n(sizes(node), kLanes, to_lane(0));
  for (uint32_t lanes = level == 0 ? at.occupied : lowest_bits(at.count); lanes != 0; lanes &= lanes - 1) {
    work_.step();
    const uint32_t lane = lane_number(lanes);
    if (level == 0) {
      const uint64_t start = uint64_t{from_lane(at.start[lane])} << granule_log2_;
      const uint64_t bytes = uint64_t{from_lane(at.size[lane])} << granule_log2_;
      sizes(node)[lane] = size_at({start, start + bytes}, aligned.alignment);
    } else {
      track_below(at.child[lane], level - 1, aligned);
      sizes(node)[lane] = greatest_lane(sizes(at.child[lane]));
    }
  }
}

uint32_t LowestIndex::take_node(uint32_t parent) noexcept {
  uint32_t node = spare_;
  if (node == kAnchor) {
    node = nodes_used_++;
  } else {
    spare_ = nodes_[node].parent;
  }
  Node& at = nodes_[node];
  at.parent = parent;
  at.position = at.count = at.occupied = 0;
  for (uint32_t lane = 0; lane < kLanes; ++lane) clear_lane(node, lane);
  return node;
}

void LowestIndex::give_node(uint32_t node) noexcept {
  nodes_[node].parent = spare_;
  spare_ = node;
}

// The lane that is copied from stays as it was.
void LowestIndex::put_lane(uint32_t from, uint32_t from_lane, uint32_t to, uint32_t to_lane, uint32_t level) noexcept {
  work_.step();
  const uint32_t child = nodes_[from].child[from_lane];
  nodes_[to].start[to_lane] = nodes_[from].start[from_lane];
  nodes_[to].size[to_lane] = nodes_[from].size[from_lane];
  nodes_[to].child[to_lane] = child;
  for (const Aligned& aligned : aligned_) {
    const AlignedSizes sizes{aligned.sizes.get()};
    sizes(to)[to_lane] = sizes(from)[from_lane];
  }
  if (level == 0) {
    home_[child] = to * kLanes + to_lane;
  } else {
    nodes_[child].parent = to;
    nodes_[child].position = to_lane;
  }
}

void LowestIndex::clear_lane(uint32_t node, uint32_t lane) noexcept {
  nodes_[node].start[lane] = kNoStart;
  nodes_[node].size[lane] = to_lane(0);
  for (const Aligned& aligned : aligned_) AlignedSizes{aligned.sizes.get()}(node)[lane] = to_lane(0);
}

// Ranges only changed hands between children of one parent, so nothing changes above it.
void LowestIndex::summarise(uint32_t node) noexcept {
  const Node& at = nodes_[node];
  nodes_[at.parent].size[at.position] = greatest_lane(at.size);
  for (const Aligned& aligned : aligned_) {
    const AlignedSizes sizes{aligned.sizes.get()};
    sizes(at.parent)[at.position] = greatest_lane(sizes(node));
  }
}

// A start of the leaf that has so many others before it. Lanes have no order, so the first ones serve as well as
// any: about three are tried, never more than there are.
int32_t LowestIndex::split_start(uint32_t leaf, uint32_t least_before, uint32_t most_before) noexcept {
  const Node& at = nodes_[leaf];
  uint32_t lanes = at.occupied;
  while (true) {
    work_.step();
    const int32_t start = at.start[lane_number(lanes)];
    const auto before = static_cast<uint32_t>(std::popcount(~lanes_at_least(at.start, start)));
    if (before >= least_before && before <= most_before) return start;
    lanes &= lanes - 1;
  }
}

void LowestIndex::move_starts(uint32_t from, uint32_t lanes, uint32_t to) noexcept {
  for (; lanes != 0; lanes &= lanes - 1) {
    const uint32_t lane = lane_number(lanes);
    const uint32_t into = lane_number(~nodes_[to].occupied);
    put_lane(from, lane, to, into, 0);
    clear_lane(from, lane);
    nodes_[from].occupied &= ~(uint32_t{1} << lane);
    nodes_[to].occupied |= uint32_t{1} << into;
    --nodes_[from].count;
    ++nodes_[to].count;
  }
}

uint32_t LowestIndex::split_for(uint32_t leaf, int32_t start) noexcept {
  const uint32_t right = split(leaf, 0);
  return start < nodes_[right].low ? leaf : right;
}

uint32_t LowestIndex::split(uint32_t node, uint32_t level) noexcept {
  if (nodes_[node].parent == kAnchor) add_root();
  if (nodes_[nodes_[node].parent].count == kLanes) split(nodes_[node].parent, level + 1);
  const uint32_t parent = nodes_[node].parent;
  const uint32_t right = take_node(parent);
  int32_t bound;
  if (level == 0) {
    bound = split_start(node, 12, 20);
    move_starts(node, lanes_at_least(nodes_[node].start, bound) & nodes_[node].occupied, right);
    nodes_[right].low = bound;
    nodes_[right].high = std::exchange(nodes_[node].high, bound);
  } else {
    constexpr uint32_t kHalf = kLanes / 2;
    bound = nodes_[node].start[kHalf];
    for (uint32_t lane = 0; lane < kHalf; ++lane) {
      put_lane(node, kHalf + lane, right, lane, level);
      clear_lane(node, kHalf + lane);
    }
    nodes_[right].start[0] = kLeastLane;
    nodes_[right].count = nodes_[node].count = kHalf;
  }
  const uint32_t position = nodes_[node].position + 1;
  shift_lanes(parent, position, 1, level + 1);
  nodes_[parent].start[position] = bound;
  nodes_[parent].child[position] = right;
  nodes_[right].position = position;
  summarise(node);
  summarise(right);
  return right;
}

void LowestIndex::add_root() noexcept {
  const uint32_t child = nodes_[kAnchor].child[0];
  const uint32_t root = take_node(kAnchor);
  put_lane(kAnchor, 0, root, 0, 1);
  nodes_[root].start[0] = kLeastLane;
  nodes_[root].child[0] = child;
  nodes_[root].count = 1;
  nodes_[kAnchor].child[0] = root;
  ++height_;
}

void LowestIndex::drop_root() noexcept {
  const uint32_t root = nodes_[kAnchor].child[0];
  put_lane(root, 0, kAnchor, 0, 1);
  give_node(root);
  --height_;
}

// Lanes from `first` on move by so many; the lanes that become free are cleared.
void LowestIndex::shift_lanes(uint32_t node, uint32_t first, int32_t by, uint32_t level) noexcept {
  const uint32_t count = nodes_[node].count;
  const uint32_t distance = static_cast<uint32_t>(by < 0 ? -by : by);
  if (by > 0) {
    for (uint32_t lane = count; lane-- > first;) put_lane(node, lane, node, lane + distance, level);
    for (uint32_t lane = first; lane < first + distance; ++lane) clear_lane(node, lane);
    nodes_[node].count = count + distance;
  } else {
    for (uint32_t lane = first; lane < count; ++lane) put_lane(node, lane, node, lane - distance, level);
    for (uint32_t lane = count - distance; lane < count; ++lane) clear_lane(node, lane);
    nodes_[node].count = count - distance;
  }
}

void LowestIndex::refill(uint32_t node, uint32_t level) noexcept {
  const uint32_t parent = nodes_[node].parent;
  const uint32_t position = std::max<uint32_t>(nodes_[node].position, 1);
  const uint32_t left = nodes_[parent].child[position - 1];
  const uint32_t right = nodes_[parent].child[position];
  if (nodes_[left].count + nodes_[right].count > kMergedCount) {
    if (level == 0) {
      share_leaves(left, right);
    } else {
      share_nodes(left, right, level);
    }
    summarise(left);
    summarise(right);
    return;
  }
  merge(left, right, level);
  if (nodes_[parent].parent == kAnchor) {
    if (nodes_[parent].count == 1) drop_root();
  } else if (nodes_[parent].count < kLeastCount) {
    refill(parent, level + 1);
  }
}

void LowestIndex::merge(uint32_t left, uint32_t right, uint32_t level) noexcept {
  const uint32_t parent = nodes_[left].parent;
  const uint32_t position = nodes_[right].position;
  if (level == 0) {
    nodes_[left].high = nodes_[right].high;
    move_starts(right, nodes_[right].occupied, left);
  } else {
    nodes_[right].start[0] = nodes_[parent].start[position];
    for (uint32_t lane = 0; lane < nodes_[right].count; ++lane) {
      put_lane(right, lane, left, nodes_[left].count++, level);
    }
  }
  shift_lanes(parent, position + 1, -1, level + 1);
  give_node(right);
  summarise(left);
}

// One of the two has 7 lanes and the other at least 18; afterwards both have at least 9.
void LowestIndex::share_leaves(uint32_t left, uint32_t right) noexcept {
  const uint32_t in_left = nodes_[left].count;
  const uint32_t in_right = nodes_[right].count;
  int32_t bound;
  if (in_left < in_right) {
    const uint32_t half = (in_right - in_left) / 2;
    bound = split_start(right, half - half / 2, half + half / 2);
    move_starts(right, ~lanes_at_least(nodes_[right].start, bound), left);
  } else {
    const uint32_t half = (in_left - in_right) / 2;
    bound = split_start(left, in_left - half - half / 2, in_left - half + half / 2);
    move_starts(left, lanes_at_least(nodes_[left].start, bound) & nodes_[left].occupied, right);
  }
  nodes_[left].high = nodes_[right].low = bound;
  nodes_[nodes_[right].parent].start[nodes_[right].position] = bound;
}

void LowestIndex::share_nodes(uint32_t left, uint32_t right, uint32_t level) noexcept {
  int32_t& bound = nodes_[nodes_[right].parent].start[nodes_[right].position];
  const uint32_t in_left = nodes_[left].count;
  const uint32_t in_right = nodes_[right].count;
  nodes_[right].start[0] = bound;
  if (in_left < in_right) {
    const uint32_t moved = (in_right - in_left) / 2;
    for (uint32_t lane = 0; lane < moved; ++lane) put_lane(right, lane, left, in_left + lane, level);
    nodes_[left].count += moved;
    shift_lanes(right, moved, -static_cast<int32_t>(moved), level);
  } else {
    const uint32_t moved = (in_left - in_right) / 2;
    shift_lanes(right, 0, static_cast<int32_t>(moved), level);
    for (uint32_t lane = 0; lane < moved; ++lane) {
      put_lane(left, in_left - moved + lane, right, lane, level);
      clear_lane(left, in_left - moved + lane);
    }
    nodes_[left].count -= moved;
  }
  bound = std::exchange(nodes_[right].start[0], kLeastLane);
}

// A range starts outside the bounds of its leaf. It passed no neighbour, so the bound between the leaves moves:
// otherwise a range that is inserted later between the two would be led to the wrong one.
void LowestIndex::widen(uint32_t leaf, int32_t start) noexcept {
  const bool is_low = start < nodes_[leaf].low;
  uint32_t node = leaf;
  uint32_t level = 0;
  while (nodes_[node].position == (is_low ? 0 : nodes_[nodes_[node].parent].count - 1)) {
    work_.step();
    node = nodes_[node].parent;
    ++level;
  }
  const uint32_t parent = nodes_[node].parent;
  const uint32_t position = nodes_[node].position;
  uint32_t beside = nodes_[parent].child[is_low ? position - 1 : position + 1];
  for (; level > 0; --level) {
    work_.step();
    beside = nodes_[beside].child[is_low ? nodes_[beside].count - 1 : 0];
  }
  if (is_low) {
    nodes_[parent].start[position] = nodes_[leaf].low = nodes_[beside].high = start;
  } else {
    nodes_[parent].start[position + 1] = nodes_[leaf].high = nodes_[beside].low = start + 1;
  }
}

bool LowestIndex::is_consistent() const noexcept {
  const uint32_t root = nodes_[kAnchor].child[0];
  uint64_t nodes = 1;
  if (nodes_[root].parent != kAnchor || nodes_[root].position != 0) return false;
  if (nodes_[kAnchor].size[0] != greatest_lane(nodes_[root].size)) return false;
  for (const Aligned& aligned : aligned_) {
    const AlignedSizes sizes{aligned.sizes.get()};
    if (sizes(kAnchor)[0] != greatest_lane(sizes(root))) return false;
  }
  if (!is_consistent(root, height_, kLeastLane, kNoStart, nodes)) return false;
  for (uint32_t spare = spare_; spare != kAnchor; spare = nodes_[spare].parent) ++nodes;
  return nodes == nodes_used_ && nodes_used_ <= node_capacity_;
}

bool LowestIndex::is_consistent(uint32_t node, uint32_t level, int32_t low, int32_t high,
                                uint64_t& nodes) const noexcept {
  const Node& at = nodes_[node];
  const bool is_root = at.parent == kAnchor;
  ++nodes;
  if (at.count > kLanes || at.count < (is_root ? (level == 0 ? 0 : 2) : kLeastCount)) return false;
  if (level == 0 && (at.low != low || at.high != high)) return false;
  if (level == 0 && at.count != static_cast<uint32_t>(std::popcount(at.occupied))) return false;
  const uint32_t used = level == 0 ? at.occupied : lowest_bits(at.count);
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    const uint32_t child = at.child[lane];
    if (((used >> lane) & 1) == 0) {
      if (at.start[lane] != kNoStart || at.size[lane] != to_lane(0)) return false;
    } else if (level == 0) {
      if (at.start[lane] < low || at.start[lane] >= high || home_[child] != node * kLanes + lane) return false;
    } else {
      const int32_t from = lane == 0 ? low : at.start[lane];
      const int32_t until = lane + 1 == at.count ? high : at.start[lane + 1];
      if (lane == 0 && at.start[0] != kLeastLane) return false;
      if (from >= until || nodes_[child].parent != node || nodes_[child].position != lane) return false;
      if (at.size[lane] != greatest_lane(nodes_[child].size)) return false;
      if (!is_consistent(child, level - 1, from, until, nodes)) return false;
    }
    for (const Aligned& aligned : aligned_) {
      const AlignedSizes sizes{aligned.sizes.get()};
      const uint64_t start = uint64_t{from_lane(at.start[lane])} << granule_log2_;
      const uint64_t bytes = uint64_t{from_lane(at.size[lane])} << granule_log2_;
      const int32_t expected = ((used >> lane) & 1) == 0 ? to_lane(0)
                               : level == 0              ? size_at({start, start + bytes}, aligned.alignment)
                                                         : greatest_lane(sizes(child));
      if (sizes(node)[lane] != expected) return false;
    }
  }
  return true;
}

}  // namespace nautilus
