// BUDDY against a set of free blocks that is searched from the front: powers of two, split and merged, at the lowest
// address of the smallest order that is enough.
#include "alloc/buddy.h"

#include <bit>
#include <set>

#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;

class SlowBuddy {
 public:
  explicit SlowBuddy(uint64_t granules) {
    uint64_t at = 0;
    for (uint64_t size = std::bit_floor(granules); size > 0; size /= 2) {
      if ((granules & size) == 0) continue;
      free_.insert({size, at});
      at += size;
    }
  }
  // Granule of the block, or UINT64_MAX.
  uint64_t allocate(uint64_t size) {
    const auto found = free_.lower_bound({size, 0});
    if (found == free_.end()) return UINT64_MAX;
    auto [have, at] = *found;
    free_.erase(found);
    while (have > size) {
      have /= 2;
      free_.insert({have, at + have});
    }
    return at;
  }
  void release(uint64_t size, uint64_t at) {
    while (free_.erase({size, at ^ size}) == 1) {
      at &= ~size;
      size *= 2;
    }
    free_.insert({size, at});
  }
  std::vector<FreeRange> ranges() const {
    std::vector<FreeRange> all;
    for (const auto& [size, at] : free_) all.push_back({at * kGranule, (at + size) * kGranule});
    std::sort(all.begin(), all.end(), [](FreeRange left, FreeRange right) { return left.start < right.start; });
    return all;
  }
  uint64_t largest() const { return free_.empty() ? 0 : free_.rbegin()->first * kGranule; }

 private:
  std::set<std::pair<uint64_t, uint64_t>> free_;  // size, place
};

void run(uint64_t granules, uint64_t seed) {
  TestArena arena(*find_strategy("buddy"), granules * kGranule);
  Model model(arena);
  SlowBuddy slow(granules);
  std::mt19937_64 random(seed);
  int refused = 0;
  for (int step = 0; step < 30000; ++step) {
    const unsigned grow = step / 3000 % 2 == 0 ? 60 : 40;
    if (model.live().empty() || random() % 100 < grow) {
      const uint64_t bytes = log_uniform(random, 1, granules * kGranule / 4);
      const uint64_t alignment = random() % 3 == 0 ? uint64_t{1} << (random() % 17) : 1;
      const uint64_t wanted = std::bit_ceil(std::max((bytes + kGranule - 1) / kGranule, alignment / kGranule));
      const uint64_t expected = slow.allocate(wanted);
      const Block* block = model.allocate(bytes, alignment);
      EXPECT_EQUAL(block != nullptr, expected != UINT64_MAX);
      refused += block == nullptr ? 1 : 0;
      if (block == nullptr) continue;
      EXPECT_EQUAL(block->room, wanted * kGranule);
      EXPECT_EQUAL(block->offset, expected * kGranule);
      EXPECT_EQUAL(block->offset % block->room, 0u);
    } else {
      const size_t at = random() % model.live().size();
      slow.release(model.live()[at].room / kGranule, model.live()[at].offset / kGranule);
      model.free(at);
    }
    EXPECT_EQUAL(arena->largest_free_bytes(), slow.largest());
    if (step % 200 != 0) continue;
    const std::vector<FreeRange> found = arena->free_ranges();
    const std::vector<FreeRange> expected = slow.ranges();
    EXPECT_EQUAL(found.size(), expected.size());
    for (size_t at = 0; at < found.size(); ++at) {
      EXPECT_EQUAL(found[at].start, expected[at].start);
      EXPECT_EQUAL(found[at].end, expected[at].end);
    }
  }
  EXPECT(refused > 100);
  // A split or a merge a step, so never more than there are orders.
  EXPECT(arena->work().most() < static_cast<uint64_t>(std::bit_width(granules)));
  EXPECT(arena->work().most() > 0);
}

}  // namespace

TEST("buddy: splits and merges as the definition says, at sizes that are powers of two and not") {
  run(4096, 61);
  run(4096 + 512 + 64 + 1, 62);
  run(4095, 63);
  run(65, 64);
  run(1 << 18, 65);
}

TEST("buddy: twins merge at once, and only twins") {
  TestArena arena(*find_strategy("buddy"), 8 * kGranule);
  std::vector<uint64_t> blocks;
  for (int block = 0; block < 8; ++block) blocks.push_back(arena->allocate(kGranule, 1));
  arena->free(blocks[1]);
  arena->free(blocks[2]);  // a neighbour, but no twin
  EXPECT_EQUAL(arena->largest_free_bytes(), kGranule);
  arena->free(blocks[3]);
  EXPECT_EQUAL(arena->largest_free_bytes(), 2 * kGranule);
  arena->free(blocks[0]);
  EXPECT_EQUAL(arena->largest_free_bytes(), 4 * kGranule);
  EXPECT_EQUAL(arena->free_ranges().size(), 1u);
}

TEST("buddy: walking the free blocks takes time of the free blocks, not of the granules") {
  // 2^31 granules: a walk over each of them would take seconds, one over the free blocks takes none.
  TestArena arena(*find_strategy("buddy"), uint64_t{1} << 40, 512);
  EXPECT(arena->allocate(1, 1) != 0);
  for (int walk = 0; walk < 1000; ++walk) EXPECT_EQUAL(arena->free_ranges().size(), 31u);
}

TEST("buddy: a set of bits finds its next member as a sorted set does") {
  std::mt19937_64 random(66);
  for (const uint64_t members : {1, 63, 64, 65, 4096, 4097, 300'000}) {
    std::vector<uint64_t> words(BitTree::words_for(members));
    BitTree tree(members, words.data());
    std::set<uint64_t> slow;
    for (int step = 0; step < 3000; ++step) {
      const uint64_t member = random() % members;
      if (random() % 2 == 0) {
        tree.insert(member);
        slow.insert(member);
      } else if (slow.erase(member) == 1) {
        tree.erase(member);
      }
      EXPECT_EQUAL(tree.contains(member), slow.count(member) == 1);
      EXPECT_EQUAL(tree.is_empty(), slow.empty());
      if (!slow.empty()) EXPECT_EQUAL(tree.lowest(), *slow.begin());
      const uint64_t from = random() % (members + 2);
      const auto next = slow.lower_bound(from);
      EXPECT_EQUAL(tree.next(from), next == slow.end() ? BitTree::kNone : *next);
      if (step % 500 != 0) continue;
      for (const uint64_t each : slow) tree.erase(each);
      slow.clear();
      EXPECT(tree.is_empty());
    }
  }
}
