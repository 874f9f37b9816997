// What every strategy owes its user whatever its name promises, run for each entry of the registry.
#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kCapacity = (uint64_t{1} << 24) + (uint64_t{1} << 20) + 3 * kGranule;

// More steps than any operation may take, however many blocks there are: 64 for each doubling of a million ranges,
// or a slab of 1024 rooms that closes, after a look at each of 255 classes.
constexpr uint64_t kMostSteps = 64 * 20 + 1024 + 255;

uint64_t random_alignment(std::mt19937_64& random) {
  return random() % 4 == 0 ? uint64_t{1} << (random() % 17) : 1;
}

}  // namespace

CONFORMANCE("random blocks at every alignment up to 64 KiB never overlap, and every figure adds up") {
  TestArena arena(entry, kCapacity);
  Model model(arena);
  std::mt19937_64 random(17);
  int failures = 0;
  for (int step = 0; step < 10000; ++step) {
    // Waves, so that the arena is filled up and emptied several times.
    const unsigned grow = step / 2000 % 2 == 0 ? 90 : 20;
    if (model.live().empty() || random() % 100 < grow) {
      const uint64_t most = random() % 4 == 0 ? uint64_t{1} << 20 : uint64_t{1} << 14;
      failures += model.allocate(log_uniform(random, 1, most), random_alignment(random)) == nullptr ? 1 : 0;
    } else {
      model.free_any(random());
    }
    if (step % 400 == 0) model.check();
  }
  EXPECT(failures > 0);
  EXPECT(!model.live().empty());
  model.check();
  model.free_all();
  model.check();
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
  EXPECT(arena->work().most() <= kMostSteps);
}

CONFORMANCE("when all is freed an arena is as empty as a new one") {
  TestArena arena(entry, kCapacity);
  const uint64_t largest = arena->largest_free_bytes();
  const std::vector<FreeRange> ranges = arena->free_ranges();
  Model model(arena);
  std::mt19937_64 random(18);
  for (int round = 0; round < 3; ++round) {
    while (model.allocate(log_uniform(random, 1, 60000), random_alignment(random)) != nullptr) {
    }
    while (!model.live().empty()) model.free_any(random());
    EXPECT_EQUAL(arena->free_bytes(), kCapacity);
    EXPECT_EQUAL(arena->largest_free_bytes(), largest);
    EXPECT_EQUAL(arena->free_ranges().size(), ranges.size());
    const uint64_t whole = arena->allocate(largest, 1);
    EXPECT(whole != 0);
    EXPECT(arena->free(whole) == FreeOutcome::kFreed);
  }
}

CONFORMANCE("blocks and offsets beyond 4 GiB") {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  TestArena arena(entry, 64 * kGiB);
  Model model(arena);
  EXPECT(model.allocate(5 * kGiB + 1, 65536) != nullptr);
  EXPECT(model.allocate(4 * kGiB, 4096) != nullptr);
  EXPECT(model.allocate(100, 1) != nullptr);
  EXPECT(model.allocate(17 * kGiB, 1) != nullptr);
  EXPECT(model.allocate(3, 65536) != nullptr);
  std::mt19937_64 random(19);
  uint64_t highest = 0;
  for (int block = 0; block < 200; ++block) {
    const Block* found = model.allocate(log_uniform(random, 1, 256 << 20), random_alignment(random));
    if (found != nullptr) highest = std::max(highest, found->offset);
  }
  EXPECT(highest > 4 * kGiB);
  model.check();
  EXPECT(model.allocate(64 * kGiB, 1) == nullptr);
  EXPECT(model.allocate(kMaxSafeInteger, 65536) == nullptr);
  model.check();
  TestArena next(arena, true);
  EXPECT_EQUAL(next->left_out(), 0u);
  EXPECT_EQUAL(next->free_bytes(), arena->free_bytes());
  model.free_all();
  model.check();
  EXPECT_EQUAL(arena->free_bytes(), 64 * kGiB);
}

CONFORMANCE("sizes and alignments at their edges") {
  TestArena arena(entry, kCapacity);
  Model model(arena);
  for (uint64_t bytes = 1; bytes <= uint64_t{1} << 20; bytes *= 2) {
    for (const uint64_t size : {bytes - 1, bytes, bytes + 1}) {
      if (size == 0) continue;
      for (uint64_t alignment = 1; alignment <= Arena::kMaxAlignment; alignment *= 4) {
        EXPECT(model.allocate(size, alignment) != nullptr);
        EXPECT(model.allocate(1, 1) != nullptr);  // so that the next start is odd
        model.free_newest();
        model.free_newest();
      }
    }
  }
  EXPECT(model.allocate(kCapacity + 1, 1) == nullptr);
  model.check();
  // The smallest arena there is: one granule.
  TestArena tiny(entry, kGranule);
  Model one(tiny);
  EXPECT(one.allocate(kGranule + 1, 1) == nullptr);
  EXPECT(one.allocate(kGranule, 1) != nullptr);
  EXPECT(one.allocate(1, 1) == nullptr);
  one.check();
  one.free_all();
  EXPECT(one.allocate(1, Arena::kMaxAlignment) != nullptr || entry.name == "buddy");  // whose rooms are as large
  one.check();
}

CONFORMANCE("an arena of 1 TiB works at once") {
  TestArena arena(entry, uint64_t{1} << 40, 512);
  Model model(arena);
  std::mt19937_64 random(20);
  for (int block = 0; block < 500; ++block) model.allocate(log_uniform(random, 1, uint64_t{1} << 31), 65536);
  model.check();
  while (!model.live().empty()) model.free_any(random());
  EXPECT_EQUAL(arena->free_bytes(), uint64_t{1} << 40);
}

CONFORMANCE("a new block goes where the free room is, down to the last granule") {
  constexpr uint64_t kSmall = 1 << 18;
  TestArena arena(entry, kSmall);
  Model model(arena);
  while (model.allocate(kGranule, 1) != nullptr) {
  }
  // A slab takes a name of its own from the table, which has one for every granule.
  const uint64_t fewest = arena.is("slab") ? kSmall / kGranule * 98 / 100 : kSmall / kGranule;
  EXPECT(model.live().size() >= fewest);
  model.check();
  std::mt19937_64 random(21);
  for (int step = 0; step < 2000; ++step) {
    model.free_any(random());
    EXPECT(model.allocate(kGranule, 1) != nullptr);
  }
  model.check();
}

CONFORMANCE("work is counted and bounded at 100,000 live blocks") {
  TestArena arena(entry, uint64_t{1} << 30);
  std::mt19937_64 random(22);
  std::vector<uint64_t> handles;
  for (int block = 0; block < 100'000; ++block) handles.push_back(arena->allocate(log_uniform(random, 1, 16384), 1));
  const uint64_t before = arena->work().total();
  constexpr int kOperations = 100'000;
  for (int step = 0; step < kOperations / 2; ++step) {
    uint64_t& handle = handles[arena->is_ordered() ? handles.size() - 1 : random() % handles.size()];
    EXPECT(arena->free(handle) == FreeOutcome::kFreed);
    handle = arena->allocate(log_uniform(random, 1, 16384), 1);
    EXPECT(handle != 0);
  }
  const uint64_t steps = arena->work().total() - before;
  EXPECT(arena->work().most() <= kMostSteps);
  if (arena->is_ordered()) {
    EXPECT_EQUAL(steps, 0u);  // it has no loop
  } else {
    EXPECT(steps > 0);
    EXPECT(steps < uint64_t{kOperations} * 100);
  }
}
