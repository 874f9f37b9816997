// Moving memory: contents, places and promises against a model that knows every block, its pins and its readers.
#include "test/movable_model.h"

#include <bit>
#include <random>

using namespace nautilus;
using namespace nautilus::test;

namespace {

class RandomUse {
 public:
  RandomUse(const char* strategy, uint64_t capacity, uint32_t seed, uint64_t most_bytes, bool aligned, bool readers)
      : model_(strategy, capacity), random_(seed), most_bytes_(most_bytes), aligned_(aligned), readers_(readers) {}

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      const uint64_t kind = below(100);
      if (kind < 40) {
        allocate();
      } else if (kind < 65) {
        model_.free(any_handle());
      } else if (kind < 72) {
        model_.pin(any_handle());
      } else if (kind < 79) {
        unpin();
      } else if (kind < 85 && readers_) {
        model_.toggle_reader(below(2) == 0);
      } else {
        model_.pass({uint64_t{64} << below(12), static_cast<uint32_t>(1 + below(8))});
      }
      if (step % 8 == 0) model_.check();
      if (step % 512 == 511) model_.kill_copy();
    }
    model_.drain_everything();
  }

  uint64_t failures() const { return failures_; }

 private:
  uint64_t below(uint64_t limit) { return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random_); }
  uint64_t any_handle() { return below(uint64_t{1} << 53); }

  void allocate() {
    const uint64_t longest = uint64_t{8} << below(static_cast<uint64_t>(std::bit_width(most_bytes_)) - 3);
    const uint64_t bytes = (1 + below(longest / 8)) * 8;
    const uint64_t alignment = aligned_ && below(4) == 0 ? uint64_t{1} << below(17) : kGranule;
    if (!model_.allocate(bytes, alignment)) ++failures_;
  }
  void unpin() {
    const bool is_freed = below(2) == 0;
    const bool is_others = below(2) == 0;
    model_.unpin(random_(), is_freed, is_others);
  }

  MovableModel model_;
  std::mt19937_64 random_;
  uint64_t most_bytes_;
  bool aligned_;
  bool readers_;
  uint64_t failures_ = 0;
};

}  // namespace

TEST("moving memory: an allocation fails only when too few bytes are free, with pins only when no zone has them") {
  for (const char* strategy : kMovableStrategies) {
    for (uint32_t seed = 1; seed <= 4; ++seed) {
      RandomUse use(strategy, 128 * 1024, seed, 32 * 1024, false, false);
      use.run(3000);
      EXPECT(use.failures() > 50);
    }
  }
}

TEST("moving memory: contents, alignments up to 64 KiB, pins, limbo and epochs hold under random use") {
  for (const char* strategy : kMovableStrategies) {
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      RandomUse(strategy, 1024 * 1024, seed, 128 * 1024, true, true).run(3000);
      RandomUse(strategy, 96 * 1024, seed + 100, 8 * 1024, false, true).run(3000);
    }
  }
}

TEST("moving memory: a full pool without pins uses its last granule") {
  for (const char* strategy : kMovableStrategies) {
    Pool pool(strategy, 64 * 1024);
    std::vector<uint64_t> handles;
    while (const uint64_t handle = pool.movable->allocate(kGranule, kGranule)) handles.push_back(handle);
    EXPECT_EQUAL(handles.size(), pool.memory.capacity / kGranule);
    for (size_t at = 0; at < handles.size(); at += 2) EXPECT(pool.movable->free(handles[at]) == FreeOutcome::kFreed);
    EXPECT_EQUAL(pool.arena->largest_free_bytes(), kGranule);
    EXPECT(pool.movable->allocate(32 * 1024 + 1, kGranule) == 0);
    EXPECT(pool.movable->allocate(32 * 1024, kGranule) != 0);
    EXPECT_EQUAL(pool.arena->free_bytes(), uint64_t{0});
  }
}

TEST("moving memory: a zone is emptied into another one when no zone has enough") {
  for (const char* strategy : kMovableStrategies) {
    Pool pool(strategy, 64 * 1024);
    std::vector<uint64_t> handles;
    for (int block = 0; block < 16; ++block) handles.push_back(pool.movable->allocate(4096, kGranule));
    EXPECT_EQUAL(pool.movable->pin(handles[8]).offset, uint64_t{8 * 4096});
    // 12 KiB free on the left, 12 KiB on the right of the pin.
    for (const int freed : {1, 3, 5, 9, 11, 13}) pool.movable->free(handles[freed]);
    fill(pool.memory.payload() + pool.movable->resolve(handles[0]).offset, handles[0], 4096);
    EXPECT(pool.movable->allocate(20 * 1024, kGranule) != 0);
    EXPECT(holds(pool.memory.payload() + pool.movable->resolve(handles[0]).offset, handles[0], 4096));
    EXPECT_EQUAL(pool.movable->resolve(handles[8]).offset, uint64_t{8 * 4096});
    // Nowhere are 24 KiB between the pin and the ends that could be emptied: 4 KiB are free now.
    EXPECT(pool.movable->allocate(8 * 1024, kGranule) == 0);
    EXPECT(pool.movable->allocate(4 * 1024, kGranule) != 0);
  }
}

TEST("moving memory: an open epoch keeps slides away and old places untouched; allocation says why it fails") {
  for (const char* strategy : kMovableStrategies) {
    Pool pool(strategy, 16 * 1024);
    pool.attach(1);
    const uint64_t first = pool.movable->allocate(1024, kGranule);
    const uint64_t second = pool.movable->allocate(8 * 1024, kGranule);
    const uint64_t third = pool.movable->allocate(1024, kGranule);
    fill(pool.memory.payload() + 1024, second, 8 * 1024);
    fill(pool.memory.payload() + 9 * 1024, third, 1024);
    pool.movable->free(first);
    enter_epoch(pool.memory.header(), 0);
    const uint64_t read_at = try_resolve(pool.memory.ledger(), third).offset;
    EXPECT_EQUAL(read_at, uint64_t{9 * 1024});
    EXPECT(pool.movable->waits_for_readers());
    EXPECT(pool.movable->allocate(7 * 1024, kGranule) == 0);
    EXPECT_EQUAL(pool.movable->resolve(second).offset, uint64_t{1024});
    while (pool.movable->pass({}).more) continue;
    EXPECT_EQUAL(pool.movable->resolve(second).offset, uint64_t{1024});
    pool.movable->free(third);
    EXPECT_EQUAL(pool.movable->limbo_rooms(), uint64_t{1});
    EXPECT_EQUAL(pool.movable->drain(), uint64_t{0});
    while (pool.movable->allocate(kGranule, kGranule) != 0) continue;
    EXPECT(holds(pool.memory.payload() + read_at, third, 1024));
    leave_epoch(pool.memory.header(), 0);
    EXPECT_EQUAL(pool.movable->drain(), uint64_t{1});
  }
}

TEST("moving memory: a copied block leaves its old bytes to the reader that found them before") {
  Pool pool("first_fit", 16 * 1024);
  pool.attach(1);
  const uint64_t first = pool.movable->allocate(4096, kGranule);
  const uint64_t second = pool.movable->allocate(4096, kGranule);
  fill(pool.memory.payload() + 4096, second, 4096);
  pool.movable->free(first);
  enter_epoch(pool.memory.header(), 0);
  EXPECT_EQUAL(try_resolve(pool.memory.ledger(), second).offset, uint64_t{4096});
  while (pool.movable->pass({}).more) continue;
  EXPECT_EQUAL(try_resolve(pool.memory.ledger(), second).offset, uint64_t{0});
  EXPECT_EQUAL(pool.movable->limbo_rooms(), uint64_t{1});
  EXPECT(holds(pool.memory.payload(), second, 4096));
  EXPECT(holds(pool.memory.payload() + 4096, second, 4096));
  EXPECT_EQUAL(pool.movable->drain(), uint64_t{0});
  leave_epoch(pool.memory.header(), 0);
  // Who enters now cannot have found what was left before.
  enter_epoch(pool.memory.header(), 0);
  EXPECT_EQUAL(pool.movable->drain(), uint64_t{1});
  pool.movable->free(second);
  EXPECT_EQUAL(pool.movable->drain(), uint64_t{0});
  leave_epoch(pool.memory.header(), 0);
  EXPECT_EQUAL(pool.movable->drain(), uint64_t{1});
}
