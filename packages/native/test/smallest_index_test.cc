// The index of BEST_FIT against a slow model of its definition, at several alignments, with sizes chosen to crowd
// its bins and trees, and its bound on steps at a million ranges.
#include "alloc/smallest_index.h"

#include <map>
#include <random>
#include <vector>

#include "test/harness.h"

using nautilus::align_up;
using nautilus::FreeRange;
using nautilus::Geometry;
using nautilus::kNoRange;
using nautilus::SmallestIndex;
using nautilus::Work;

namespace {

constexpr uint64_t kGranule = 64;

uint64_t usable(FreeRange place, uint64_t alignment) {
  const uint64_t start = align_up(place.start, alignment);
  return start < place.end ? place.end - start : 0;
}

// Ranges need not be disjoint for the index: it never compares their addresses.
struct Model {
  Model(uint64_t capacity_bytes, uint64_t granule)
      : capacity(capacity_bytes), index(Geometry{capacity_bytes, granule}, work) {}

  void reserve(uint64_t ranges, uint64_t alignment) {
    index.reserve(ranges, alignment);
    if (alignments.emplace(alignment, std::multimap<uint64_t, uint32_t>{}).second) {
      for (const auto& [range, place] : places) note(alignments[alignment], alignment, range, place);
    }
  }
  void insert(uint32_t range, FreeRange place) {
    index.insert(range, place);
    work.finish();
    places[range] = place;
    for (auto& [alignment, sizes] : alignments) note(sizes, alignment, range, place);
  }
  void erase(uint32_t range) {
    index.erase(range, places.at(range));
    work.finish();
    forget(range);
  }
  void change(uint32_t range, FreeRange after) {
    index.change(range, places.at(range), after);
    work.finish();
    forget(range);
    places[range] = after;
    for (auto& [alignment, sizes] : alignments) note(sizes, alignment, range, after);
  }
  void expect_found(uint64_t bytes, uint64_t alignment) {
    const uint32_t found = index.find(bytes, alignment);
    work.finish();
    const auto& sizes = alignments.at(alignment);
    const auto least = sizes.lower_bound(bytes);
    EXPECT_EQUAL(found == kNoRange, least == sizes.end());
    if (found != kNoRange) EXPECT_EQUAL(usable(places.at(found), alignment), least->first);
  }
  void expect_sound() {
    EXPECT(index.is_sound());
    uint64_t most = 0;
    for (const auto& [range, place] : places) most = std::max(most, place.end - place.start);
    EXPECT_EQUAL(index.largest(), most);
  }

  uint64_t capacity;
  Work work;
  SmallestIndex index;
  std::map<uint32_t, FreeRange> places;
  std::map<uint64_t, std::multimap<uint64_t, uint32_t>> alignments;

 private:
  static void note(std::multimap<uint64_t, uint32_t>& sizes, uint64_t alignment, uint32_t range, FreeRange place) {
    if (usable(place, alignment) != 0) sizes.emplace(usable(place, alignment), range);
  }
  void forget(uint32_t range) {
    for (auto& [alignment, sizes] : alignments) {
      auto [at, end] = sizes.equal_range(usable(places.at(range), alignment));
      while (at != end && at->second != range) ++at;
      if (at != end) sizes.erase(at);
    }
    places.erase(range);
  }
};

// Answers granules.
using Sizes = uint64_t (*)(std::mt19937_64&);

uint64_t log_uniform(std::mt19937_64& random) { return (random() | 1) >> (36 + random() % 28); }
uint64_t one_bin(std::mt19937_64& random) { return (uint64_t{1} << 26) + random() % 65536; }
uint64_t few_in_one_bin(std::mt19937_64& random) { return (uint64_t{1} << 26) + random() % 16; }
uint64_t equal(std::mt19937_64&) { return 5'000'001; }
uint64_t around_powers(std::mt19937_64& random) {
  const uint64_t power = uint64_t{1} << (1 + random() % 27);
  return power + random() % 3 - 1;
}

void run_against_model(Sizes sizes, std::vector<uint64_t> alignments, unsigned seed) {
  std::mt19937_64 random(seed);
  Model model(uint64_t{1} << 36, kGranule);
  model.reserve(64, kGranule);
  uint64_t ranges = 64;
  std::vector<uint32_t> used;
  std::vector<uint32_t> spare;
  for (uint32_t range = 0; range < ranges; ++range) spare.push_back(range);
  const auto place = [&] {
    const uint64_t bytes = std::max<uint64_t>(1, sizes(random)) * kGranule;
    const uint64_t start = random() % ((model.capacity - bytes) / kGranule + 1) * kGranule;
    return FreeRange{start, start + bytes};
  };
  for (int step = 0; step < 6000; ++step) {
    // Alignments come into use on the way, when ranges are already there.
    if (step % 1000 == 500 && !alignments.empty()) {
      model.reserve(ranges, alignments.back());
      alignments.pop_back();
    }
    if (spare.empty()) {
      for (uint64_t range = ranges; range < ranges * 2; ++range) spare.push_back(static_cast<uint32_t>(range));
      ranges *= 2;
      model.reserve(ranges, kGranule);
    }
    const bool shrink = step / 1500 % 2 == 1;
    const uint64_t choice = random() % 8;
    if (used.empty() || choice < (shrink ? 2u : 4u)) {
      used.push_back(spare.back());
      spare.pop_back();
      model.insert(used.back(), place());
    } else {
      std::swap(used[random() % used.size()], used.back());
      if (choice < 6) {
        model.erase(used.back());
        spare.push_back(used.back());
        used.pop_back();
      } else {
        model.change(used.back(), place());
      }
    }
    for (const auto& [alignment, known] : model.alignments) {
      model.expect_found(std::max<uint64_t>(1, sizes(random)) * kGranule, alignment);
    }
    if (step % 200 == 0) model.expect_sound();
  }
  while (!used.empty()) {
    model.erase(used.back());
    used.pop_back();
  }
  model.expect_sound();
  model.expect_found(kGranule, kGranule);
}

}  // namespace

TEST("smallest index: finds a smallest sufficient range, as a sorted model does") {
  unsigned seed = 1;
  for (const Sizes sizes : {log_uniform, one_bin, few_in_one_bin, equal, around_powers}) {
    run_against_model(sizes, {}, seed++);
  }
}

TEST("smallest index: at alignments above the granule the usable bytes decide") {
  unsigned seed = 11;
  for (const Sizes sizes : {log_uniform, one_bin, few_in_one_bin, equal, around_powers}) {
    run_against_model(sizes, {65536, 128, 4096}, seed++);
  }
}

TEST("smallest index: every size of a small segment, up and down") {
  const uint64_t granules = 3000;
  Model model(granules * kGranule, kGranule);
  model.reserve(granules, kGranule);
  for (uint32_t size = 1; size <= granules; size += 2) model.insert(size - 1, {0, size * kGranule});
  model.expect_sound();
  for (uint64_t size = 1; size <= granules; ++size) model.expect_found(size * kGranule, kGranule);
  model.expect_found((granules + 1) * kGranule, kGranule);
  model.expect_found(uint64_t{1} << 53, kGranule);
  for (uint32_t size = 1; size <= granules; size += 4) model.erase(size - 1);
  model.expect_sound();
  for (uint64_t size = 1; size <= granules; ++size) model.expect_found(size * kGranule, kGranule);
}

TEST("smallest index: a segment of one granule, and one of nearly 2^32 granules") {
  Model one(kGranule, kGranule);
  one.reserve(1, kGranule);
  one.expect_found(kGranule, kGranule);
  one.insert(0, {0, kGranule});
  one.expect_found(kGranule, kGranule);
  one.expect_sound();
  const uint64_t capacity = (uint64_t{UINT32_MAX}) * 4096;
  Model large(capacity, 4096);
  large.reserve(3, 65536);
  large.reserve(3, 4096);
  large.insert(0, {0, capacity});
  large.insert(1, {4096, capacity});
  large.insert(2, {capacity - 4096, capacity});
  for (const uint64_t bytes : {uint64_t{4096}, uint64_t{8192}, capacity - 4096, capacity, capacity + 4096}) {
    large.expect_found(bytes, 4096);
    large.expect_found(bytes, 65536);
  }
  large.expect_sound();
}

// A tree is as deep as there are bits that its bin ignores, 21 at most (32 bits of size without a leading one and a
// mantissa of ten bits); a search walks one path and one subtree, a change leaves one place and takes another.
TEST("smallest index: a million ranges in one bin, and no operation takes more than 48 steps") {
  const uint64_t capacity = uint64_t{UINT32_MAX} * kGranule;
  Work work;
  SmallestIndex index(Geometry{capacity, kGranule}, work);
  const uint32_t ranges = 1'000'000;
  index.reserve(ranges, kGranule);
  std::mt19937_64 random(3);
  std::vector<FreeRange> places(ranges);
  const auto place = [&](uint32_t range) {
    return FreeRange{0, ((uint64_t{1} << 31) + (range % 2 == 0 ? random() % (1 << 21) : range)) * kGranule};
  };
  for (uint32_t range = 0; range < ranges; ++range) {
    places[range] = place(range);
    index.insert(range, places[range]);
    work.finish();
  }
  for (int step = 0; step < 200'000; ++step) {
    const auto range = static_cast<uint32_t>(random() % ranges);
    const FreeRange after = place(range);
    index.change(range, places[range], after);
    places[range] = after;
    work.finish();
    const uint32_t found = index.find(((uint64_t{1} << 31) + random() % (1 << 21)) * kGranule, kGranule);
    work.finish();
    if (step % 1000 == 0) EXPECT(found == kNoRange || index.largest() >= places[found].end);
  }
  EXPECT(index.is_sound());
  EXPECT(work.most() > 10);
  EXPECT(work.most() <= 48);
}
