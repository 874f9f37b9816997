// SLAB serves fixed sizes without a search; STACK frees in reverse order, returns to marks and refuses anything else.
#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kLargestRoom = 16384;  // of a slab; more gets a range of its own

uint64_t class_room(uint64_t bytes) { return class_granules(class_for((bytes + kGranule - 1) / kGranule)) * kGranule; }

}  // namespace

TEST("slab: a size that is asked for often gets rooms of its class, a rare one no more than it needs") {
  for (uint64_t bytes = 1; bytes <= kLargestRoom; bytes += 97) {
    TestArena arena(*find_strategy("slab"), uint64_t{1} << 24);
    Model model(arena);
    for (int block = 0; block < 100; ++block) {
      const uint64_t room = model.allocate(bytes, 1)->room;
      EXPECT(room == class_room(bytes) || room == align_up(bytes, kGranule));
    }
    for (int block = 0; block < 20; ++block) EXPECT_EQUAL(model.allocate(bytes, 1)->room, class_room(bytes));
  }
}

TEST("slab: in steady state no operation searches: a few steps at most, whatever lives") {
  TestArena arena(*find_strategy("slab"), uint64_t{1} << 28);
  std::mt19937_64 random(71);
  const uint64_t sizes[] = {40, 64, 200, 700, 1500, 4000, 9000};
  std::vector<std::pair<uint64_t, uint64_t>> live;  // handle, size: a replaced block has the size of the one before
  for (int block = 0; block < 40'000; ++block) {
    const uint64_t bytes = sizes[random() % std::size(sizes)];
    live.emplace_back(arena->allocate(bytes, 1), bytes);
    EXPECT(live.back().first != 0);
  }
  const auto replace = [&] {
    auto& [handle, bytes] = live[random() % live.size()];
    EXPECT(arena->free(handle) == FreeOutcome::kFreed);
    handle = arena->allocate(bytes, 1);
    EXPECT(handle != 0);
  };
  for (int step = 0; step < 100'000; ++step) replace();
  uint64_t most = 0;
  uint64_t before = arena->work().total();
  for (int step = 0; step < 200'000; ++step) {
    replace();
    most = std::max(most, arena->work().total() - before);
    before = arena->work().total();
  }
  EXPECT(most <= 16);
}

TEST("stack: frees newest first, refuses anything else, and returns what alignment skipped") {
  constexpr uint64_t kCapacity = uint64_t{1} << 22;
  TestArena arena(*find_strategy("stack"), kCapacity);
  Model model(arena);
  std::mt19937_64 random(72);
  std::vector<uint64_t> tops{0};  // before each live block
  for (int step = 0; step < 60000; ++step) {
    if (model.live().empty() || random() % 100 < 52) {
      const uint64_t bytes = log_uniform(random, 1, 60000);
      const uint64_t alignment = uint64_t{1} << (random() % 17);
      const uint64_t start = align_up(tops.back(), std::max(alignment, kGranule));
      const Block* block = model.allocate(bytes, alignment);
      EXPECT_EQUAL(block != nullptr, start + align_up(bytes, kGranule) <= kCapacity);
      if (block == nullptr) continue;
      EXPECT_EQUAL(block->offset, start);
      EXPECT_EQUAL(block->room, align_up(bytes, kGranule));
      tops.push_back(start + block->room);
    } else {
      if (model.live().size() > 1) {
        const uint64_t other = model.live()[random() % (model.live().size() - 1)].handle;
        EXPECT(arena->free(other) == FreeOutcome::kOrderViolation);
      }
      model.free_newest();
      tops.pop_back();
    }
    EXPECT_EQUAL(arena->free_bytes(), kCapacity - tops.back());
    EXPECT_EQUAL(arena->mark(), model.live().empty() ? 0u : model.live().back().handle);
    if (step % 2000 == 0) model.check();
  }
}

TEST("stack: a rewind frees everything since its mark, and a mark that is gone is refused") {
  constexpr uint64_t kCapacity = uint64_t{1} << 20;
  TestArena arena(*find_strategy("stack"), kCapacity);
  std::mt19937_64 random(73);
  std::vector<uint64_t> live;
  std::vector<uint64_t> gone;
  for (int step = 0; step < 5000; ++step) {
    for (uint64_t block = random() % 6; block > 0; --block) {
      const uint64_t handle = arena->allocate(1 + random() % 5000, uint64_t{1} << (random() % 13));
      if (handle != 0) live.push_back(handle);
    }
    if (!gone.empty()) EXPECT(arena->rewind(gone[random() % gone.size()]) == FreeOutcome::kOrderViolation);
    EXPECT_EQUAL(arena->figures().live_blocks, live.size());
    const size_t keep = random() % 4 == 0 ? live.size() : random() % (live.size() + 1);
    EXPECT(arena->rewind(keep == 0 ? 0 : live[keep - 1]) == FreeOutcome::kFreed);
    for (size_t at = keep; at < live.size(); ++at) {
      EXPECT(arena->free(live[at]) == FreeOutcome::kUnknownBlock);
      gone.push_back(live[at]);
    }
    live.resize(keep);
    EXPECT_EQUAL(arena->figures().live_blocks, live.size());
    EXPECT_EQUAL(arena->mark(), live.empty() ? 0u : live.back());
  }
  EXPECT(arena->rewind(0) == FreeOutcome::kFreed);
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
  EXPECT_EQUAL(arena->figures().frees, arena->figures().allocations);
}

CONFORMANCE("only a stack has marks") {
  TestArena arena(entry, uint64_t{1} << 20);
  EXPECT_EQUAL(arena->is_ordered(), arena.is("stack"));
  if (arena->is_ordered()) return;
  const uint64_t handle = arena->allocate(100, 1);
  EXPECT_EQUAL(arena->mark(), 0u);
  EXPECT(arena->rewind(0) == FreeOutcome::kOrderViolation);
  EXPECT(arena->rewind(handle) == FreeOutcome::kOrderViolation);
  EXPECT_EQUAL(arena->figures().live_blocks, 1u);
}
