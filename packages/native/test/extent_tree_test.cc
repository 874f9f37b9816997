// The tree is checked against a std::map of free ranges that is searched from the front.
#include "alloc/extent_tree.h"

#include <map>
#include <random>

#include "alloc/placement.h"
#include "test/harness.h"

using nautilus::align_up;
using nautilus::Extent;
using nautilus::ExtentTree;

namespace {

constexpr uint64_t kGranule = 64;

std::optional<uint64_t> slow_lowest_fit(const std::map<uint64_t, uint64_t>& model, uint64_t bytes, uint64_t alignment) {
  for (const auto& [start, end] : model) {
    const uint64_t aligned = align_up(start, alignment);
    if (aligned < end && end - aligned >= bytes) return start;
  }
  return std::nullopt;
}

}  // namespace

TEST("extent tree: random inserts, erases and changes keep order, balance and maxima") {
  std::mt19937_64 random(7);
  ExtentTree tree(kGranule);
  std::map<uint64_t, uint64_t> model;
  for (int step = 0; step < 20000; ++step) {
    const uint64_t start = random() % 4000 * 4 * kGranule;
    const auto at = model.find(start);
    if (at == model.end()) {
      tree.reserve(model.size() + 1);
      const uint64_t end = start + (1 + random() % 3) * kGranule;
      tree.insert({start, end});
      model[start] = end;
    } else if (random() % 3 == 0) {
      const uint64_t end = start + (1 + random() % 3) * kGranule;
      tree.change(start, {start, end});
      at->second = end;
    } else {
      tree.erase(start);
      model.erase(at);
    }
    EXPECT_EQUAL(tree.size(), model.size());
    if (step % 500 == 0) tree.track_alignment(kGranule << (step / 500 % 8));
    if (step % 97 == 0) EXPECT(tree.is_consistent());
    const uint64_t bytes = (1 + random() % 4) * kGranule;
    const auto found = tree.lowest_fit(bytes, kGranule);
    const auto expected = slow_lowest_fit(model, bytes, kGranule);
    EXPECT_EQUAL(found.has_value(), expected.has_value());
    if (found) EXPECT_EQUAL(found->start, *expected);
  }
}

TEST("extent tree: an over-aligned request takes the lowest extent that really holds it") {
  ExtentTree tree(kGranule);
  tree.reserve(3);
  tree.insert({64, 1024});     // long, but nothing of it is left once aligned to 1024
  tree.insert({1088, 3072});   // holds 1024 aligned bytes at 2048
  tree.insert({4096, 8192});
  tree.track_alignment(1024);
  EXPECT_EQUAL(tree.lowest_fit(64, 1024)->start, 1088u);
  EXPECT_EQUAL(tree.lowest_fit(1024, 1024)->start, 1088u);
  EXPECT_EQUAL(tree.lowest_fit(1088, 1024)->start, 4096u);
  EXPECT(!tree.lowest_fit(4097, 1024).has_value());
}

TEST("extent tree: floor finds the last extent at or before an offset") {
  ExtentTree tree(kGranule);
  tree.reserve(2);
  tree.insert({128, 192});
  tree.insert({512, 576});
  EXPECT(!tree.floor(127).has_value());
  EXPECT_EQUAL(tree.floor(511)->start, 128u);
  EXPECT_EQUAL(tree.floor(512)->start, 512u);
}
