// FIRST_FIT takes the lowest address that fits, BEST_FIT a smallest range that is enough: over long random runs,
// against a list of all gaps that is searched from the front.
#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;

struct Gap {
  uint64_t start;
  uint64_t end;
};

std::vector<Gap> gaps(const std::map<uint64_t, uint64_t>& ends, uint64_t capacity) {
  std::vector<Gap> found;
  uint64_t at = 0;
  for (const auto& [offset, end] : ends) {
    if (offset > at) found.push_back({at, offset});
    at = end;
  }
  if (at < capacity) found.push_back({at, capacity});
  return found;
}

uint64_t usable(const Gap& gap, uint64_t alignment) {
  const uint64_t start = align_up(gap.start, alignment);
  return start < gap.end ? gap.end - start : 0;
}

struct Choice {
  uint64_t lowest = UINT64_MAX;   // address
  uint64_t smallest = UINT64_MAX;  // usable bytes of a gap that is enough
};

Choice choose(const std::vector<Gap>& all, uint64_t room, uint64_t alignment) {
  Choice choice;
  for (const Gap& gap : all) {
    const uint64_t bytes = usable(gap, alignment);
    if (bytes < room) continue;
    choice.lowest = std::min(choice.lowest, align_up(gap.start, alignment));
    choice.smallest = std::min(choice.smallest, bytes);
  }
  return choice;
}

template <typename Check>
void run(const char* strategy, uint64_t seed, Check check) {
  constexpr uint64_t kCapacity = 3000 * kGranule;
  TestArena arena(*find_strategy(strategy), kCapacity);
  Model model(arena);
  std::mt19937_64 random(seed);
  uint64_t placed = 0;
  uint64_t refused = 0;
  for (int step = 0; step < 40000; ++step) {
    const unsigned grow = step / 4000 % 2 == 0 ? 58 : 46;
    if (!model.live().empty() && random() % 100 >= grow) {
      model.free_any(random());
      continue;
    }
    const uint64_t bytes = log_uniform(random, 1, random() % 16 == 0 ? 40000 : 2000);
    const uint64_t alignment = random() % 3 == 0 ? kGranule << (random() % 11) : kGranule;
    const std::vector<Gap> before = gaps(model.ends(), kCapacity);
    const Choice choice = choose(before, align_up(bytes, kGranule), alignment);
    const Block* block = model.allocate(bytes, alignment);
    EXPECT_EQUAL(block != nullptr, choice.lowest != UINT64_MAX);
    (block != nullptr ? placed : refused) += 1;
    if (block == nullptr) continue;
    EXPECT_EQUAL(block->room, align_up(bytes, kGranule));
    check(*block, before, choice, alignment);
    if (step % 1000 == 0) model.check();
  }
  // The run had both answers, and often.
  EXPECT(placed > 10000);
  EXPECT(refused > 500);
  const std::vector<Gap> last = gaps(model.ends(), kCapacity);
  const std::vector<FreeRange> free = arena->free_ranges();
  EXPECT_EQUAL(free.size(), last.size());
  for (size_t at = 0; at < last.size(); ++at) {
    EXPECT_EQUAL(free[at].start, last[at].start);
    EXPECT_EQUAL(free[at].end, last[at].end);
  }
  model.free_all();
  EXPECT_EQUAL(arena->largest_free_bytes(), kCapacity);
}

}  // namespace

TEST("first_fit: the lowest address that fits, for every size and alignment") {
  for (const uint64_t seed : {51, 52, 53}) {
    run("first_fit", seed, [](const Block& block, const std::vector<Gap>&, const Choice& choice, uint64_t) {
      EXPECT_EQUAL(block.offset, choice.lowest);
    });
  }
}

TEST("best_fit: a smallest range that is enough, counted in what the alignment leaves usable of it") {
  for (const uint64_t seed : {54, 55, 56}) {
    run("best_fit", seed, [](const Block& block, const auto& all, const Choice& choice, uint64_t alignment) {
      for (const Gap& gap : all) {
        if (block.offset < gap.start || block.offset >= gap.end) continue;
        EXPECT_EQUAL(usable(gap, alignment), choice.smallest);
        EXPECT_EQUAL(block.offset, align_up(gap.start, alignment));
        return;
      }
      fail(__FILE__, __LINE__, "the block lies in no gap");
    });
  }
}

TEST("first_fit and best_fit: a given place is taken when all of it is free, and only then") {
  constexpr uint64_t kCapacity = uint64_t{1} << 20;
  for (const char* strategy : {"first_fit", "best_fit"}) {
    std::mt19937_64 random(3);
    TestArena before(*find_strategy(strategy), kCapacity);
    Model model(before);
    while (model.allocate(1 + random() % 3000, 1) != nullptr) {
    }
    for (int block = 0; block < 300; ++block) model.free_any(random());
    TestArena after(*find_strategy(strategy), kCapacity);
    EXPECT(after->can_place_at());
    std::vector<Block> blocks = model.live();
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (const Block& block : blocks) {
      EXPECT(after->allocate_at(block.offset, block.length) != 0);
      EXPECT_EQUAL(after->allocate_at(block.offset, 1), 0u);
      EXPECT_EQUAL(after->allocate_at(block.offset + block.room - kGranule, 1), 0u);
    }
    EXPECT_EQUAL(after->free_bytes(), before->free_bytes());
    EXPECT_EQUAL(after->largest_free_bytes(), before->largest_free_bytes());
    EXPECT_EQUAL(after->allocate_at(kCapacity - kGranule, 2 * kGranule), 0u);
    EXPECT_EQUAL(after->allocate_at(UINT64_MAX / kGranule * kGranule, kGranule), 0u);
  }
}
