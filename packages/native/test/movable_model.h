// A pool whose blocks move, beside a model that knows every block, its pins and its readers. The choices come from
// outside, so that a test takes them at random and a fuzzer from its input.
#pragma once

#include <algorithm>
#include <array>
#include <map>

#include "test/movable_pool.h"

namespace nautilus::test {

constexpr std::array<const char*, 2> kMovableStrategies{"first_fit", "best_fit"};

class MovableModel {
 public:
  MovableModel(const char* strategy, uint64_t capacity) : strategy_(strategy), pool_(strategy, capacity) {
    pool_.attach(kReader + 1);
  }

  // False when nothing fitted, and rightly so.
  bool allocate(uint64_t bytes, uint64_t alignment) {
    if (alignment > kGranule) is_aligned_ = true;
    const uint64_t handle = pool_.movable->allocate(bytes, alignment);
    if (handle == 0) {
      if (!is_aligned_ && !pool_.movable->waits_for_readers()) expect_no_zone_for(align_up(bytes, kGranule));
      return false;
    }
    const Held held = try_resolve(pool_.memory.ledger(), handle);
    EXPECT(held.outcome == HoldOutcome::kHeld);
    EXPECT_EQUAL(held.offset % alignment, 0u);
    EXPECT(bytes <= pool_.memory.capacity && held.offset <= pool_.memory.capacity - bytes);
    EXPECT(live_.emplace(handle, Block{bytes, alignment, 0, 0}).second);
    fill(payload() + held.offset, handle, bytes);
    return true;
  }

  // The first block from a handle on, or the first of all.
  void free(uint64_t from) {
    const auto at = first_from(from);
    if (at == live_.end()) return;
    const uint64_t handle = at->first;
    EXPECT(pool_.movable->free(handle) == FreeOutcome::kFreed);
    EXPECT(pool_.movable->free(handle) == FreeOutcome::kUnknownBlock);
    EXPECT(pool_.movable->pin(handle).outcome == HoldOutcome::kUnknownBlock);
    EXPECT(pool_.movable->resolve(handle).outcome == HoldOutcome::kUnknownBlock);
    if (at->second.pins > 0) ghosts_[handle] = at->second;
    live_.erase(at);
  }
  void pin(uint64_t from) {
    const auto at = first_from(from);
    if (at == live_.end()) return;
    const Held held = pool_.movable->pin(at->first);
    EXPECT(held.outcome == HoldOutcome::kHeld);
    if (at->second.pins++ > 0) EXPECT_EQUAL(held.offset, at->second.pinned_at);
    at->second.pinned_at = held.offset;
  }

  // One of the pinned, living or freed, in the way of another thread or the arena's own.
  void unpin(uint64_t choice, bool is_freed, bool is_others) {
    std::map<uint64_t, Block>& from = is_freed ? ghosts_ : live_;
    std::vector<uint64_t> pinned;
    for (const auto& [handle, block] : from) {
      if (block.pins > 0) pinned.push_back(handle);
    }
    if (pinned.empty()) return;
    const uint64_t handle = pinned[choice % pinned.size()];
    EXPECT(is_others ? nautilus::unpin(pool_.memory.ledger(), handle) : pool_.movable->unpin(handle));
    if (--from[handle].pins == 0 && is_freed) ghosts_.erase(handle);
  }

  // The reader leaves its epoch, or begins one and looks at everything; a move under way is ended first, or passed over.
  void toggle_reader(bool ends_move) {
    if (!views_.empty()) return leave();
    enter_epoch(pool_.memory.header(), kReader);
    for (const auto& [handle, block] : live_) {
      const Held held = ends_move ? pool_.movable->resolve(handle) : try_resolve(pool_.memory.ledger(), handle);
      EXPECT(held.outcome == HoldOutcome::kHeld || (!ends_move && held.outcome == HoldOutcome::kOnTheMove));
      if (held.outcome == HoldOutcome::kHeld) views_.push_back({handle, held.offset, block.bytes});
    }
    if (views_.empty()) leave_epoch(pool_.memory.header(), kReader);
  }

  void pass(const PassBudget& budget) {
    const PassReport report = pool_.movable->pass(budget);
    EXPECT(report.moved_bytes <= budget.max_bytes);
    // One more may end that began before.
    EXPECT(report.moved_blocks <= budget.max_moves + 1);
  }

  // Whatever is under way now: an owner that takes over finds every living block whole.
  void kill_copy() {
    Pool heir(strategy_, pool_.memory, true);
    EXPECT_EQUAL(heir.arena->left_out(), 0u);
    EXPECT_EQUAL(heir.arena->figures().live_blocks, live_.size());
    for (const auto& [handle, block] : live_) {
      const Held held = heir.movable->pin(handle);
      EXPECT(held.outcome == HoldOutcome::kHeld);
      EXPECT(holds(heir.memory.payload() + held.offset, handle, block.bytes));
    }
  }

  void check() {
    std::map<uint64_t, uint64_t> places;
    const auto place = [&](uint64_t offset, uint64_t room) { EXPECT(places.emplace(offset, offset + room).second); };
    uint64_t rooms = 0;
    for (const auto& [handle, block] : live_) {
      rooms += block.room();
      const Held held = try_resolve(pool_.memory.ledger(), handle);
      if (held.outcome == HoldOutcome::kOnTheMove) {
        EXPECT_EQUAL(block.pins, 0u);
        continue;
      }
      EXPECT(held.outcome == HoldOutcome::kHeld);
      EXPECT(holds(payload() + held.offset, handle, block.bytes));
      EXPECT_EQUAL(held.offset % std::max(block.alignment, kGranule), 0u);
      if (block.pins > 0) EXPECT_EQUAL(held.offset, block.pinned_at);
      place(held.offset, block.room());
    }
    for (const auto& [handle, ghost] : ghosts_) {
      EXPECT(holds(payload() + ghost.pinned_at, handle, ghost.bytes));
      place(ghost.pinned_at, ghost.room());
    }
    uint64_t end = 0;
    for (const auto& [from, to] : places) {
      EXPECT(from >= end);
      end = to;
    }
    EXPECT(end <= pool_.memory.capacity);
    for (const View& view : views_) EXPECT(holds(payload() + view.offset, view.handle, view.bytes));
    EXPECT_EQUAL(pool_.memory.header().taken_bytes + pool_.arena->free_bytes(), pool_.memory.capacity);
    EXPECT(pool_.memory.header().taken_bytes >= rooms);
    EXPECT_EQUAL(pool_.arena->figures().live_blocks, live_.size());
    uint64_t free_bytes = 0;
    for (const FreeRange& range : pool_.arena->free_ranges()) {
      const auto behind = places.lower_bound(range.start);
      EXPECT(behind == places.end() || behind->first >= range.end);
      EXPECT(behind == places.begin() || std::prev(behind)->second <= range.start);
      free_bytes += range.end - range.start;
    }
    EXPECT_EQUAL(free_bytes, pool_.arena->free_bytes());
  }

  // Without holders everything can lie in one piece, and at last nothing is left.
  void drain_everything() {
    if (!views_.empty()) leave();
    for (std::map<uint64_t, Block>* blocks : {&live_, &ghosts_}) {
      for (auto& [handle, block] : *blocks) {
        for (; block.pins > 0; --block.pins) EXPECT(pool_.movable->unpin(handle));
        EXPECT(!pool_.movable->unpin(handle));
      }
    }
    ghosts_.clear();
    uint64_t rooms = 0;
    for (const auto& [handle, block] : live_) rooms += block.room();
    for (int passes = 0; pool_.movable->pass({}).more; ++passes) EXPECT(passes < 1000);
    check();
    EXPECT_EQUAL(pool_.movable->limbo_rooms(), 0u);
    EXPECT_EQUAL(pool_.arena->free_bytes(), pool_.memory.capacity - rooms);
    if (!is_aligned_) EXPECT_EQUAL(pool_.arena->largest_free_bytes(), pool_.arena->free_bytes());
    while (!live_.empty()) free(0);
    EXPECT_EQUAL(pool_.arena->largest_free_bytes(), pool_.memory.capacity);
  }

 private:
  static constexpr uint32_t kReader = 1;

  struct Block {
    uint64_t bytes = 0;
    uint64_t alignment = 0;
    uint32_t pins = 0;
    uint64_t pinned_at = 0;
    uint64_t room() const { return align_up(bytes, kGranule); }
  };
  // What the reader looks at; its bytes may not change, whatever became of the block.
  struct View {
    uint64_t handle = 0;
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  std::byte* payload() { return pool_.memory.payload(); }

  std::map<uint64_t, Block>::iterator first_from(uint64_t handle) {
    const auto at = live_.lower_bound(handle);
    return at == live_.end() ? live_.begin() : at;
  }

  void leave() {
    leave_epoch(pool_.memory.header(), kReader);
    views_.clear();
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
        const Held held = try_resolve(pool_.memory.ledger(), handle);
        EXPECT(held.outcome == HoldOutcome::kHeld);
        rooms[held.offset] = block.room();
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

  const char* strategy_;
  Pool pool_;
  std::map<uint64_t, Block> live_;
  std::map<uint64_t, Block> ghosts_;  // freed while pinned
  std::vector<View> views_;           // of the reader inside its epoch
  bool is_aligned_ = false;           // beyond the granule
};

}  // namespace nautilus::test
