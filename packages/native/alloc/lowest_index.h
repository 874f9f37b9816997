// Free ranges by address in a B+-tree whose nodes know the longest range under each child: the lowest address that
// fits is one walk from the root to a leaf. Each range knows its place in its leaf, so that growing and shrinking a
// range needs no walk, and maxima are carried upwards only as far as they change.
#pragma once

#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "alloc/lanes.h"
#include "alloc/range_map.h"

namespace nautilus {

class LowestIndex {
 public:
  // May throw std::bad_alloc.
  LowestIndex(Geometry geometry, Work& work);
  LowestIndex(const LowestIndex&) = delete;
  LowestIndex& operator=(const LowestIndex&) = delete;

  // A range that is long enough may be too short once its start is aligned, so every alignment in use has maxima of
  // its own. The first request for one above the granule reads all ranges once, and from then on each change costs
  // one more summary.
  void reserve(uint64_t ranges, uint64_t alignment) {
    if (ranges > range_capacity_) [[unlikely]] grow(ranges);
    if (alignment > granule_ && (alignment & tracked_) == 0) [[unlikely]] track(alignment);
  }

  void insert(uint32_t range, FreeRange place) noexcept {
    const int32_t start = lane_of(place.start);
    uint32_t leaf = nodes_[kAnchor].child[0];
    for (uint32_t level = height_; level > 0; --level) {
      work_.step();
      const uint64_t behind = lanes_at_least(nodes_[leaf].start, start + 1) | kBehindLast;
      leaf = nodes_[leaf].child[std::countr_zero(behind) - 1];
    }
    if (nodes_[leaf].count == kLanes) [[unlikely]] leaf = split_for(leaf, start);
    Node& at = nodes_[leaf];
    const uint32_t lane = static_cast<uint32_t>(std::countr_zero(~at.occupied));
    at.occupied |= uint32_t{1} << lane;
    ++at.count;
    at.start[lane] = start;
    at.child[lane] = range;
    home_[range] = leaf * kLanes + lane;
    set_size(leaf, lane, place);
  }

  void erase(uint32_t range, FreeRange) noexcept {
    const uint32_t leaf = home_[range] / kLanes;
    const uint32_t lane = home_[range] % kLanes;
    Node& at = nodes_[leaf];
    at.start[lane] = kNoStart;
    at.occupied &= ~(uint32_t{1} << lane);
    --at.count;
    set_size(leaf, lane, FreeRange{0, 0});
    if (at.count < kLeastCount && at.parent != kAnchor) [[unlikely]] refill(leaf, 0);
  }

  void change(uint32_t range, FreeRange, FreeRange after) noexcept {
    const uint32_t leaf = home_[range] / kLanes;
    const uint32_t lane = home_[range] % kLanes;
    Node& at = nodes_[leaf];
    const int32_t start = lane_of(after.start);
    if (start < at.low || start >= at.high) [[unlikely]] widen(leaf, start);
    at.start[lane] = start;
    set_size(leaf, lane, after);
  }

  // The alignment was given to reserve().
  uint32_t find(uint64_t bytes, uint64_t alignment) const noexcept {
    const uint64_t granules = bytes >> granule_log2_;
    if (granules > UINT32_MAX) return kNoRange;
    const int32_t wanted = to_lane(static_cast<uint32_t>(granules));
    if (alignment <= granule_) [[likely]] return descend(NodeSizes{nodes_}, wanted);
    for (const Aligned& aligned : aligned_) {
      if (aligned.alignment == alignment) return descend(AlignedSizes{aligned.sizes.get()}, wanted);
    }
    return kNoRange;
  }

  uint64_t largest() const noexcept { return uint64_t{from_lane(nodes_[kAnchor].size[0])} << granule_log2_; }

  // For tests: order, bounds, fill, sizes and maxima hold everywhere.
  bool is_consistent() const noexcept;

 private:
  static constexpr uint32_t kAnchor = 0;  // the node above the root: it has one child, and its maximum is that of all
  static constexpr uint32_t kLeastCount = 8;    // of any node but the root
  static constexpr uint32_t kMergedCount = 24;  // a merged node is neither about to split nor to merge again
  static constexpr int32_t kNoStart = INT32_MAX;
  static constexpr uint64_t kBehindLast = uint64_t{1} << kLanes;

  // In a leaf the lanes stand in no order and stay where they are. In an inner node they are the first `count`, by
  // rising start; `start` of lane 0 is kLeastLane and of another a bound: starts before it lie in the lanes before.
  // Unused lanes have kNoStart and size 0. Sizes and starts are granules, made lanes by to_lane().
  struct Node {
    uint32_t parent;    // of a spare node: the next spare one
    uint32_t position;  // lane in the parent
    uint32_t count;     // used lanes
    uint32_t occupied;  // leaf: bit i is set when lane i is used
    int32_t low;        // leaf: every start is at least this ...
    int32_t high;       // ... and less than this, the low of the next leaf
    uint32_t unused[26];  // 512 bytes, so that the place of a node is found by one shift
    int32_t start[kLanes];
    int32_t size[kLanes];     // leaf: of the range; inner node: of the longest range below
    uint32_t child[kLanes];   // leaf: range; inner node: node
  };
  static constexpr size_t kCacheLine = 64;
  static_assert(sizeof(Node) == 512);

  struct Aligned {
    uint64_t alignment;
    std::unique_ptr<int32_t[]> sizes;  // as Node::size, of what is left behind an aligned start; kLanes a node
  };
  struct NodeSizes {
    Node* nodes;
    int32_t* operator()(uint32_t node) const noexcept { return nodes[node].size; }
  };
  struct AlignedSizes {
    int32_t* sizes;
    int32_t* operator()(uint32_t node) const noexcept { return sizes + size_t{node} * kLanes; }
  };

  int32_t lane_of(uint64_t bytes) const noexcept { return to_lane(static_cast<uint32_t>(bytes >> granule_log2_)); }
  int32_t size_at(FreeRange place, uint64_t alignment) const noexcept {
    const uint64_t start = align_up(place.start, alignment);
    return lane_of(start < place.end ? place.end - start : 0);
  }

  template <typename Sizes>
  uint32_t descend(Sizes sizes, int32_t wanted) const noexcept {
    if (sizes(kAnchor)[0] < wanted) return kNoRange;
    uint32_t node = nodes_[kAnchor].child[0];
    for (uint32_t level = height_; level > 0; --level) {
      work_.step();
      node = nodes_[node].child[std::countr_zero(lanes_at_least(sizes(node), wanted))];
    }
    const Node& leaf = nodes_[node];
    uint32_t fitting = lanes_at_least(sizes(node), wanted);
    uint32_t lowest = static_cast<uint32_t>(std::countr_zero(fitting));
    // Mostly one or two fit, and which of the two no processor foretells: so the second is compared in any case.
    do {
      work_.step();
      fitting = (fitting & (fitting - 1)) != 0 ? fitting & (fitting - 1) : fitting;
      const uint32_t lane = static_cast<uint32_t>(std::countr_zero(fitting));
      lowest = leaf.start[lane] < leaf.start[lowest] ? lane : lowest;
    } while ((fitting & (fitting - 1)) != 0);
    return leaf.child[lowest];
  }

  void set_size(uint32_t leaf, uint32_t lane, FreeRange place) noexcept {
    set_size(NodeSizes{nodes_}, leaf, lane, lane_of(place.end - place.start));
    for (const Aligned& aligned : aligned_) {
      set_size(AlignedSizes{aligned.sizes.get()}, leaf, lane, size_at(place, aligned.alignment));
    }
  }
  template <typename Sizes>
  void set_size(Sizes sizes, uint32_t node, uint32_t lane, int32_t after) noexcept {
    do {
      work_.step();
      int32_t& changed = sizes(node)[lane];
      const int32_t before = std::exchange(changed, after);
      const uint32_t parent = nodes_[node].parent;
      lane = nodes_[node].position;
      const int32_t most = sizes(parent)[lane];
      if (after <= most) {
        if (before < most) return;
        after = greatest_lane(sizes(node));
        if (after == most) return;
      }
      node = parent;
    } while (node != kAnchor);
    sizes(kAnchor)[0] = after;
  }

  void grow(uint64_t ranges);
  void track(uint64_t alignment);
  void track_below(uint32_t node, uint32_t level, const Aligned& aligned) noexcept;

  uint32_t take_node(uint32_t parent) noexcept;
  void give_node(uint32_t node) noexcept;
  void put_lane(uint32_t from, uint32_t from_lane, uint32_t to, uint32_t to_lane, uint32_t level) noexcept;
  void clear_lane(uint32_t node, uint32_t lane) noexcept;
  void summarise(uint32_t node) noexcept;
  int32_t split_start(uint32_t leaf, uint32_t least_before, uint32_t most_before) noexcept;
  void move_starts(uint32_t from, uint32_t lanes, uint32_t to) noexcept;

  uint32_t split_for(uint32_t leaf, int32_t start) noexcept;
  uint32_t split(uint32_t node, uint32_t level) noexcept;
  void add_root() noexcept;
  void drop_root() noexcept;
  void refill(uint32_t node, uint32_t level) noexcept;
  void merge(uint32_t left, uint32_t right, uint32_t level) noexcept;
  void share_leaves(uint32_t left, uint32_t right) noexcept;
  void share_nodes(uint32_t left, uint32_t right, uint32_t level) noexcept;
  void shift_lanes(uint32_t node, uint32_t first, int32_t by, uint32_t level) noexcept;
  void widen(uint32_t leaf, int32_t start) noexcept;
  bool is_consistent(uint32_t node, uint32_t level, int32_t low, int32_t high, uint64_t& nodes) const noexcept;

  Node* nodes_ = nullptr;
  std::unique_ptr<uint32_t[]> home_;  // by range: leaf * kLanes + lane
  Work& work_;
  uint32_t height_ = 0;  // levels above the leaves
  unsigned granule_log2_;
  uint64_t granule_;
  uint64_t range_capacity_ = 0;
  uint64_t tracked_ = 0;  // the alignments in `aligned_`
  std::vector<Aligned> aligned_;

  std::unique_ptr<std::byte[]> memory_;  // of nodes_
  uint64_t node_capacity_ = 0;
  uint32_t nodes_used_ = 0;  // that were ever in use
  uint32_t spare_ = kAnchor;  // first spare node; kAnchor: none
};

}  // namespace nautilus
