// Moving memory: contents, places and promises against a model that knows every block, its pins and its readers.
#include "test/movable_pool.h"

#include <algorithm>
#include <map>
#include <random>

using namespace nautilus;
using namespace nautilus::test;

namespace {

struct Block {
  uint64_t bytes = 0;
  uint64_t alignment = 0;
  uint32_t pins = 0;
  uint64_t pinned_at = 0;
  uint64_t room() const { return align_up(bytes, kGranule); }
};

// What a holder looks at; its bytes may not change, whatever became of the block.
struct View {
  uint64_t handle = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

class Model {
 public:
  Model(const char* strategy, uint64_t capacity, uint32_t seed, uint64_t most_bytes, bool aligned, bool readers)
      : pool_(strategy, capacity), strategy_(strategy), random_(seed), most_bytes_(most_bytes), aligned_(aligned),
        readers_(readers) {
    pool_.attach(2);
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      const uint64_t kind = below(100);
      if (kind < 40) {
        allocate();
      } else if (kind < 65) {
        free();
      } else if (kind < 72) {
        pin();
      } else if (kind < 79) {
        unpin();
      } else if (kind < 85 && readers_) {
        toggle_reader();
      } else {
        pass();
      }
      if (step % 8 == 0) check();
      if (step % 512 == 511) kill_copy();
    }
    drain_everything();
  }

  uint64_t failures() const { return failures_; }

 private:
  uint64_t below(uint64_t limit) { return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random_); }
  std::map<uint64_t, Block>::iterator any() {
    auto at = live_.lower_bound(below(uint64_t{1} << 53));
    return at == live_.end() ? live_.begin() : at;
  }
  std::byte* payload() { return pool_.memory.payload(); }

  void allocate() {
    const uint64_t longest = uint64_t{8} << below(static_cast<uint64_t>(std::bit_width(most_bytes_)) - 3);
    const uint64_t bytes = (1 + below(longest / 8)) * 8;
    const uint64_t alignment = aligned_ && below(4) == 0 ? uint64_t{1} << below(17) : kGranule;
    const uint64_t handle = pool_.movable->allocate(bytes, alignment);
    if (handle == 0) {
      ++failures_;
      if (!aligned_ && !pool_.movable->waits_for_readers()) expect_no_zone_for(align_up(bytes, kGranule));
      return;
    }
    const Held held = try_resolve(pool_.memory.ledger(), handle);
    EXPECT(held.outcome == HoldOutcome::kHeld);
    EXPECT_EQUAL(held.offset % alignment, uint64_t{0});
    live_[handle] = {bytes, alignment};
    fill(payload() + held.offset, handle, bytes);
  }

  void free() {
    const auto at = any();
    if (at == live_.end()) return;
    EXPECT(pool_.movable->free(at->first) == FreeOutcome::kFreed);
    EXPECT(pool_.movable->free(at->first) == FreeOutcome::kUnknownBlock);
    EXPECT(pool_.movable->pin(at->first).outcome == HoldOutcome::kUnknownBlock);
    if (at->second.pins > 0) ghosts_[at->first] = at->second;
    live_.erase(at);
  }

  void pin() {
    const auto at = any();
    if (at == live_.end()) return;
    const Held held = pool_.movable->pin(at->first);
    EXPECT(held.outcome == HoldOutcome::kHeld);
    if (at->second.pins++ > 0) EXPECT_EQUAL(held.offset, at->second.pinned_at);
    at->second.pinned_at = held.offset;
  }

  void unpin() {
    std::map<uint64_t, Block>& from = below(2) == 0 ? live_ : ghosts_;
    std::vector<uint64_t> pinned;
    for (const auto& [handle, block] : from) {
      if (block.pins > 0) pinned.push_back(handle);
    }
    if (pinned.empty()) return;
    const uint64_t handle = pinned[below(pinned.size())];
    // The way of another thread, or the arena's own.
    const bool held = below(2) == 0 ? nautilus::unpin(pool_.memory.ledger(), handle) : pool_.movable->unpin(handle);
    EXPECT(held);
    if (--from[handle].pins == 0 && &from == &ghosts_) ghosts_.erase(handle);
  }

  void toggle_reader() {
    if (!views_.empty()) {
      leave_epoch(pool_.memory.header(), 1);
      views_.clear();
      return;
    }
    enter_epoch(pool_.memory.header(), 1);
    for (const auto& [handle, block] : live_) {
      const Held held = below(2) == 0 ? pool_.movable->resolve(handle) : try_resolve(pool_.memory.ledger(), handle);
      if (held.outcome == HoldOutcome::kHeld) views_.push_back({handle, held.offset, block.bytes});
    }
    if (views_.empty()) leave_epoch(pool_.memory.header(), 1);
  }

  void pass() {
    const PassBudget budget{uint64_t{64} << below(12), static_cast<uint32_t>(1 + below(8))};
    const PassReport report = pool_.movable->pass(budget);
    EXPECT(report.moved_bytes <= budget.max_bytes);
    // One more may end that began before.
    EXPECT(report.moved_blocks <= budget.max_moves + 1);
  }

  void check() {
    std::map<uint64_t, uint64_t> places;
    uint64_t rooms = 0;
    for (const auto& [handle, block] : live_) {
      const Held held = try_resolve(pool_.memory.ledger(), handle);
      if (held.outcome == HoldOutcome::kOnTheMove) {
        EXPECT_EQUAL(block.pins, 0u);
        continue;
      }
      EXPECT(held.outcome == HoldOutcome::kHeld);
      EXPECT(holds(payload() + held.offset, handle, block.bytes));
      EXPECT_EQUAL(held.offset & (std::max(block.alignment, kGranule) - 1), uint64_t{0});
      if (block.pins > 0) EXPECT_EQUAL(held.offset, block.pinned_at);
      places[held.offset] = held.offset + block.room();
      rooms += block.room();
    }
    for (const auto& [handle, ghost] : ghosts_) {
      EXPECT(holds(payload() + ghost.pinned_at, handle, ghost.bytes));
      places[ghost.pinned_at] = ghost.pinned_at + ghost.room();
    }
    uint64_t end = 0;
    for (const auto& [from, to] : places) {
      EXPECT(from >= end);
      end = to;
    }
    EXPECT(end <= pool_.memory.capacity);
    for (const View& view : views_) EXPECT(holds(payload() + view.offset, view.handle, view.bytes));
    const LedgerHeader& header = pool_.memory.header();
    EXPECT_EQUAL(header.taken_bytes + pool_.arena->free_bytes(), pool_.memory.capacity);
    EXPECT(header.taken_bytes >= rooms);
    EXPECT_EQUAL(pool_.arena->figures().live_blocks, live_.size());
    uint64_t free = 0;
    for (const FreeRange& range : pool_.arena->free_ranges()) {
      const auto behind = places.lower_bound(range.start);
      EXPECT(behind == places.end() || behind->first >= range.end);
      EXPECT(behind == places.begin() || std::prev(behind)->second <= range.start);
      free += range.end - range.start;
    }
    EXPECT_EQUAL(free, pool_.arena->free_bytes());
  }

  // In no zone between pins (of the living and of the dead) is enough free.
  void expect_no_zone_for(uint64_t room) {
    std::map<uint64_t, uint64_t> cuts{{pool_.memory.capacity, 0}};
    std::map<uint64_t, uint64_t> rooms;
    for (const auto& [handle, ghost] : ghosts_) cuts[ghost.pinned_at] = ghost.room();
    for (const auto& [handle, block] : live_) {
      if (block.pins > 0) {
        cuts[block.pinned_at] = block.room();
      } else {
        rooms[try_resolve(pool_.memory.ledger(), handle).offset] = block.room();
      }
    }
    uint64_t start = 0;
    for (const auto& [at, bytes] : cuts) {
      uint64_t free = at - start;
      for (auto block = rooms.lower_bound(start); block != rooms.end() && block->first < at; ++block) {
        free -= block->second;
      }
      EXPECT(free < room);
      start = at + bytes;
    }
  }

  // Whatever is under way now: an owner that takes over finds every living block whole.
  void kill_copy() {
    Pool heir(strategy_, pool_.memory, true);
    EXPECT_EQUAL(heir.arena->figures().live_blocks, live_.size());
    for (const auto& [handle, block] : live_) {
      const Held held = heir.movable->pin(handle);
      EXPECT(held.outcome == HoldOutcome::kHeld);
      EXPECT(holds(heir.memory.payload() + held.offset, handle, block.bytes));
    }
  }

  void drain_everything() {
    if (!views_.empty()) leave_epoch(pool_.memory.header(), 1);
    views_.clear();
    for (std::map<uint64_t, Block>* blocks : {&live_, &ghosts_}) {
      for (auto& [handle, block] : *blocks) {
        for (; block.pins > 0; --block.pins) EXPECT(pool_.movable->unpin(handle));
        EXPECT(!pool_.movable->unpin(handle));
      }
    }
    ghosts_.clear();
    uint64_t live_rooms = 0;
    for (const auto& [handle, block] : live_) live_rooms += block.room();
    for (int passes = 0; pool_.movable->pass({}).more; ++passes) EXPECT(passes < 10000);
    check();
    EXPECT_EQUAL(pool_.movable->limbo_rooms(), uint64_t{0});
    EXPECT_EQUAL(pool_.arena->free_bytes(), pool_.memory.capacity - live_rooms);
    if (!aligned_) EXPECT_EQUAL(pool_.arena->largest_free_bytes(), pool_.arena->free_bytes());
    while (!live_.empty()) free();
    EXPECT_EQUAL(pool_.arena->largest_free_bytes(), pool_.memory.capacity);
  }

  Pool pool_;
  const char* strategy_;
  std::mt19937_64 random_;
  uint64_t most_bytes_;
  bool aligned_;
  bool readers_;
  std::map<uint64_t, Block> live_;
  std::map<uint64_t, Block> ghosts_;  // freed while pinned
  std::vector<View> views_;           // of the reader inside its epoch
  uint64_t failures_ = 0;
};

constexpr const char* kStrategies[] = {"first_fit", "best_fit"};

}  // namespace

TEST("moving memory: an allocation fails only when too few bytes are free, with pins only when no zone has them") {
  for (const char* strategy : kStrategies) {
    for (uint32_t seed = 1; seed <= 4; ++seed) {
      Model model(strategy, 128 * 1024, seed, 32 * 1024, false, false);
      model.run(3000);
      EXPECT(model.failures() > 50);
    }
  }
}

TEST("moving memory: contents, alignments up to 64 KiB, pins, limbo and epochs hold under random use") {
  for (const char* strategy : kStrategies) {
    for (uint32_t seed = 1; seed <= 3; ++seed) {
      Model(strategy, 1024 * 1024, seed, 128 * 1024, true, true).run(3000);
      Model(strategy, 96 * 1024, seed + 100, 8 * 1024, false, true).run(3000);
    }
  }
}

TEST("moving memory: a full pool without pins uses its last granule") {
  for (const char* strategy : kStrategies) {
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
  for (const char* strategy : kStrategies) {
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
  for (const char* strategy : kStrategies) {
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
