// The tree of free ranges against a sorted map, under patterns that fill, empty and skew it, and the bound on its work.
#include "alloc/lowest_index.h"

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "alloc/first_fit.h"
#include "test/harness.h"

using nautilus::FreeRange;
using nautilus::Geometry;
using nautilus::kNoRange;
using nautilus::LowestIndex;
using nautilus::Work;

namespace {

constexpr uint64_t kGranule = 64;

// The index and, by address, what it should hold. Numbers of erased ranges are used again, newest first.
class Modelled {
 public:
  explicit Modelled(uint64_t capacity) : capacity_(capacity), index_({capacity, kGranule}, work_) {}

  void reserve(uint64_t ranges, uint64_t alignment) { index_.reserve(ranges, alignment); }
  void insert(uint64_t start, uint64_t end) {
    const uint32_t range = spare_.empty() ? numbers_++ : spare_.back();
    if (!spare_.empty()) spare_.pop_back();
    index_.insert(range, {start, end});
    ranges_[start] = {end, range};
  }
  void erase(uint64_t start) {
    const auto [end, range] = ranges_.at(start);
    index_.erase(range, {start, end});
    spare_.push_back(range);
    ranges_.erase(start);
  }
  void change(uint64_t start, FreeRange after) {
    const auto [end, range] = ranges_.at(start);
    index_.change(range, {start, end}, after);
    ranges_.erase(start);
    ranges_[after.start] = {after.end, range};
  }
  uint32_t slow_find(uint64_t bytes, uint64_t alignment) const {
    for (const auto& [start, range] : ranges_) {
      const uint64_t aligned = nautilus::align_up(start, alignment);
      if (aligned < range.end && range.end - aligned >= bytes) return range.number;
    }
    return kNoRange;
  }
  void expect_found(uint64_t bytes, uint64_t alignment) const {
    EXPECT_EQUAL(index_.find(bytes, alignment), slow_find(bytes, alignment));
  }
  void expect_sound() const {
    EXPECT(index_.is_consistent());
    uint64_t most = 0;
    for (const auto& [start, range] : ranges_) most = std::max(most, range.end - start);
    EXPECT_EQUAL(index_.largest(), most);
  }
  // The room that the range may take: from the end of the one before it to the start of the one behind it.
  FreeRange room_of(uint64_t start) const {
    const auto at = ranges_.find(start);
    const auto behind = std::next(at);
    return {at == ranges_.begin() ? 0 : std::prev(at)->second.end,
            behind == ranges_.end() ? capacity_ : behind->first};
  }
  // The range that starts last at or before the offset, else the first one.
  uint64_t start_near(uint64_t offset) const {
    const auto behind = ranges_.upper_bound(offset);
    return behind == ranges_.begin() ? behind->first : std::prev(behind)->first;
  }
  bool is_free_room(uint64_t start, uint64_t end) const {
    const auto behind = ranges_.lower_bound(start);
    if (behind != ranges_.end() && behind->first < end) return false;
    return behind == ranges_.begin() || std::prev(behind)->second.end <= start;
  }
  size_t size() const { return ranges_.size(); }
  uint64_t end_of(uint64_t start) const { return ranges_.at(start).end; }
  Work& work() { return work_; }
  LowestIndex& index() { return index_; }

 private:
  struct Numbered {
    uint64_t end;
    uint32_t number;
  };
  uint64_t capacity_;
  Work work_;
  LowestIndex index_;
  std::map<uint64_t, Numbered> ranges_;
  std::vector<uint32_t> spare_;
  uint32_t numbers_ = 0;
};

// A binary logarithm rounded up, at least 1.
uint64_t levels_of(uint64_t number) { return std::max<uint64_t>(1, static_cast<uint64_t>(std::bit_width(number))); }

}  // namespace

TEST("lowest_index: lanes compare and sum up as numbers without sign") {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    alignas(16) int32_t lanes[nautilus::kLanes];
    for (int32_t& lane : lanes) lane = nautilus::to_lane(round % 2 == 0 ? random() : random() % 5);
    const int32_t bound = round % 3 == 0 ? lanes[random() % nautilus::kLanes] : nautilus::to_lane(random());
    uint32_t expected = 0;
    uint32_t most = 0;
    for (uint32_t lane = 0; lane < nautilus::kLanes; ++lane) {
      if (nautilus::from_lane(lanes[lane]) >= nautilus::from_lane(bound)) expected |= uint32_t{1} << lane;
      most = std::max(most, nautilus::from_lane(lanes[lane]));
    }
    EXPECT_EQUAL(nautilus::lanes_at_least(lanes, bound), expected);
    EXPECT_EQUAL(nautilus::lanes_at_least_portable(lanes, bound), expected);
    EXPECT_EQUAL(nautilus::from_lane(nautilus::greatest_lane(lanes)), most);
  }
}

TEST("lowest_index: finds what a sorted map finds, at every alignment, while ranges come, go, grow and shrink") {
  constexpr uint64_t kCapacity = uint64_t{1} << 20;
  const std::vector<uint64_t> alignments = {64, 128, 1024, 4096, 65536};
  for (const uint64_t seed : {1, 2, 3, 4}) {
    std::mt19937_64 random(seed);
    const auto granules = [&](uint64_t below) { return random() % below * kGranule; };
    Modelled model(kCapacity);
    size_t known_alignments = 0;
    for (uint64_t step = 0; step < 24000; ++step) {
      // Alternately fills up and empties, so that the tree grows and shrinks by levels.
      const bool fills = step / 6000 % 2 == 0;
      if (step % 5000 == 0 && known_alignments < alignments.size()) ++known_alignments;
      for (size_t i = 0; i < known_alignments; ++i) model.reserve(model.size() + 2, alignments[i]);
      const uint64_t choice = random() % 10;
      if (model.size() == 0 || choice < (fills ? 6u : 2u)) {
        const uint64_t start = granules(kCapacity / kGranule);
        const uint64_t end = start + kGranule + granules(random() % 4 == 0 ? 12 : 2);
        if (end <= kCapacity && model.is_free_room(start, end)) model.insert(start, end);
      } else if (choice < 8) {
        model.erase(model.start_near(granules(kCapacity / kGranule)));
      } else {
        const uint64_t start = model.start_near(granules(kCapacity / kGranule));
        const FreeRange room = model.room_of(start);
        const uint64_t size = (room.end - room.start) / kGranule;
        const uint64_t from = room.start + granules(size);
        model.change(start, {from, from + kGranule + granules((room.end - from) / kGranule)});
      }
      const uint64_t alignment = alignments[random() % known_alignments];
      model.expect_found(kGranule + granules(random() % 2 == 0 ? 4 : 200), alignment);
      if (step % 16 == 0) model.expect_sound();
    }
  }
}

TEST("lowest_index: stays sound when it is emptied and filled from either end, or from the middle") {
  constexpr uint64_t kRanges = 5000;
  for (const int order : {0, 1, 2, 3}) {
    Modelled model(kRanges * 4 * kGranule);
    model.reserve(kRanges, kGranule);
    std::vector<uint64_t> starts;
    for (uint64_t i = 0; i < kRanges; ++i) starts.push_back(i * 4 * kGranule);
    std::mt19937 random(5);
    if (order == 1) std::reverse(starts.begin(), starts.end());
    if (order == 2) std::shuffle(starts.begin(), starts.end(), random);
    if (order == 3) std::rotate(starts.begin(), starts.begin() + kRanges / 2, starts.end());
    for (int round = 0; round < 2; ++round) {
      for (const uint64_t start : starts) model.insert(start, start + kGranule);
      model.expect_sound();
      for (size_t i = 0; i < starts.size(); ++i) {
        model.erase(starts[i]);
        if (i % 64 == 0) model.expect_sound();
      }
      model.expect_sound();
      model.expect_found(kGranule, kGranule);
    }
  }
}

TEST("lowest_index: finds the one long range among tiny ones wherever it is, and nothing once it is gone") {
  constexpr uint64_t kRanges = 4000;
  Modelled model(kRanges * 8 * kGranule);
  model.reserve(kRanges, 512);
  for (uint64_t i = 0; i < kRanges; ++i) model.insert(i * 8 * kGranule, i * 8 * kGranule + kGranule);
  for (uint64_t i = 0; i < kRanges; i += 37) {
    const uint64_t start = i * 8 * kGranule;
    model.change(start, {start, start + 3 * kGranule});
    model.expect_found(3 * kGranule, kGranule);
    model.expect_found(2 * kGranule, 512);
    EXPECT_EQUAL(model.index().find(4 * kGranule, kGranule), kNoRange);
    model.change(start, {start, start + kGranule});
    EXPECT_EQUAL(model.index().find(3 * kGranule, kGranule), kNoRange);
  }
  model.expect_sound();
}

TEST("lowest_index: an alignment counts from where the range starts, and may be asked for late") {
  Modelled model(1 << 20);
  model.reserve(4, kGranule);
  model.insert(kGranule, 4096 + kGranule);          // holds one granule at 4096
  model.insert(8192 + kGranule, 16384);             // holds 4096 at 12288
  model.insert(20480, 24576);                       // holds 4096 at 20480
  model.reserve(4, 4096);
  EXPECT_EQUAL(model.index().find(kGranule, 4096), 0u);
  EXPECT_EQUAL(model.index().find(2 * kGranule, 4096), 1u);
  EXPECT_EQUAL(model.index().find(4096, kGranule), 0u);
  EXPECT_EQUAL(model.index().find(4096 + kGranule, kGranule), 1u);
  model.change(8192 + kGranule, {12288 + kGranule, 16384});
  EXPECT_EQUAL(model.index().find(2 * kGranule, 4096), 2u);
  model.expect_sound();
}

TEST("lowest_index: sizes up to 2^32 - 1 granules are told apart") {
  constexpr uint64_t kCapacity = uint64_t{UINT32_MAX} * kGranule;
  Modelled model(kCapacity);
  model.reserve(2, 65536);
  model.insert(0, kCapacity);
  model.expect_found(kCapacity, kGranule);
  model.expect_found(kCapacity + kGranule, kGranule);
  model.expect_found(uint64_t{1} << 52, kGranule);
  model.change(0, {kGranule, kCapacity});
  model.expect_found(kCapacity - kGranule, kGranule);
  model.expect_found(kCapacity, kGranule);
  model.change(kGranule, {kCapacity - kGranule, kCapacity});
  model.insert(0, (uint64_t{1} << 31) * kGranule);
  model.expect_found((uint64_t{1} << 31) * kGranule, 65536);
  model.expect_found((uint64_t{1} << 31) * kGranule + kGranule, kGranule);
  model.expect_sound();
}

TEST("lowest_index: no operation on a million ranges takes more than 60 steps for each doubling") {
  constexpr uint64_t kRanges = 1'000'000;
  constexpr uint64_t kPitch = 4 * kGranule;
  Work work;
  LowestIndex index({kRanges * kPitch, kGranule}, work);
  index.reserve(kRanges, kGranule);
  const uint64_t bound = 60 * levels_of(kRanges);
  // Ascending numbers and addresses; then a comb of holes, whose rising teeth let the longest range lie last.
  for (uint64_t i = 0; i < kRanges; ++i) {
    index.insert(static_cast<uint32_t>(i), {i * kPitch, i * kPitch + kGranule});
    work.finish();
  }
  EXPECT(work.most() <= bound);
  std::mt19937_64 random(9);
  for (uint64_t i = 0; i < kRanges; i += 2) {
    index.erase(static_cast<uint32_t>(i), {i * kPitch, i * kPitch + kGranule});
    work.finish();
  }
  for (uint64_t i = 0; i < 200'000; ++i) {
    const auto range = static_cast<uint32_t>((random() % kRanges) | 1);
    const uint64_t start = range * kPitch;
    index.change(range, {start, start + kGranule}, {start, start + 3 * kGranule});
    work.finish();
    EXPECT_EQUAL(index.find(2 * kGranule, kGranule), range);
    work.finish();
    index.change(range, {start, start + 3 * kGranule}, {start, start + kGranule});
    work.finish();
  }
  // From both ends towards the middle: merges on every level.
  for (uint64_t i = 1; i < kRanges; i += 2) {
    const uint64_t range = i / 2 % 2 == 0 ? i / 2 + 1 : kRanges - i / 2;
    index.erase(static_cast<uint32_t>(range), {range * kPitch, range * kPitch + kGranule});
    work.finish();
  }
  EXPECT(work.most() <= bound);
  EXPECT_EQUAL(index.largest(), uint64_t{0});
  EXPECT(index.is_consistent());
}
