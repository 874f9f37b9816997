// Any sequence of operations on a pool whose blocks move: what a block, a pin or a reader looks at never changes its
// bytes, and an owner that takes over at any moment finds every living block whole.
#include <array>
#include <map>

#include "fuzz/input.h"
#include "test/movable_pool.h"

using namespace nautilus;
using namespace nautilus::fuzz;
using namespace nautilus::test;

namespace {

constexpr std::array<const char*, 2> kStrategies{"first_fit", "best_fit"};
constexpr uint32_t kReader = 1;

struct Block {
  uint64_t bytes = 0;
  uint64_t alignment = 0;
  uint32_t pins = 0;
  uint64_t pinned_at = 0;
  uint64_t room() const { return align_up(bytes, kGranule); }
};

struct View {
  uint64_t handle = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

class Model {
 public:
  Model(const char* strategy, uint64_t capacity, Input& input)
      : strategy_(strategy), input_(input), pool_(strategy, capacity) {
    pool_.attach(kReader + 1);
  }

  void step() {
    switch (input_.byte() % 12) {
      case 0: case 1: case 2: case 3: return allocate();
      case 4: case 5: return free();
      case 6: return pin();
      case 7: return unpin();
      case 8: return toggle_reader();
      case 9: case 10: return pass();
      case 11: return input_.byte() % 4 == 0 ? kill_copy() : many();
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
    if (!views_.empty()) leave_epoch(pool_.memory.header(), kReader);
    views_.clear();
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
    while (!live_.empty()) free();
    EXPECT_EQUAL(pool_.arena->largest_free_bytes(), pool_.memory.capacity);
  }

 private:
  std::byte* payload() { return pool_.memory.payload(); }

  std::map<uint64_t, Block>::iterator any() {
    const auto at = live_.lower_bound(uint64_t{input_.byte()} << 32 | uint64_t{kTag} << kSlotBits | input_.byte());
    return at == live_.end() ? live_.begin() : at;
  }

  void allocate() { allocate((1 + input_.size(11)) * 8); }
  void allocate(uint64_t bytes) {
    const uint8_t dice = input_.byte();
    const uint64_t alignment = dice % 4 == 0 ? uint64_t{1} << (dice / 4 % 14) : kGranule;
    if (alignment > kGranule) is_aligned_ = true;
    const uint64_t handle = pool_.movable->allocate(bytes, alignment);
    if (handle == 0) return expect_reason(bytes);
    const Held held = try_resolve(pool_.memory.ledger(), handle);
    EXPECT(held.outcome == HoldOutcome::kHeld);
    EXPECT_EQUAL(held.offset % alignment, 0u);
    EXPECT(bytes <= pool_.memory.capacity && held.offset <= pool_.memory.capacity - bytes);
    EXPECT(live_.emplace(handle, Block{bytes, alignment, 0, 0}).second);
    fill(payload() + held.offset, handle, bytes);
  }

  // With no holder and no alignment, nothing but want of bytes or of slots.
  void expect_reason(uint64_t bytes) {
    if (is_aligned_ || pool_.movable->waits_for_readers() || !ghosts_.empty()) return;
    for (const auto& [handle, block] : live_) {
      if (block.pins > 0) return;
    }
    EXPECT(align_up(bytes, kGranule) > pool_.arena->free_bytes());
  }

  void free() {
    const auto at = any();
    if (at == live_.end()) return;
    const uint64_t handle = at->first;
    EXPECT(pool_.movable->free(handle) == FreeOutcome::kFreed);
    EXPECT(pool_.movable->free(handle) == FreeOutcome::kUnknownBlock);
    EXPECT(pool_.movable->pin(handle).outcome == HoldOutcome::kUnknownBlock);
    EXPECT(pool_.movable->resolve(handle).outcome == HoldOutcome::kUnknownBlock);
    if (at->second.pins > 0) ghosts_[handle] = at->second;
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
    const uint8_t dice = input_.byte();
    std::map<uint64_t, Block>& from = dice % 2 == 0 ? live_ : ghosts_;
    std::vector<uint64_t> pinned;
    for (const auto& [handle, block] : from) {
      if (block.pins > 0) pinned.push_back(handle);
    }
    if (pinned.empty()) return;
    const uint64_t handle = pinned[input_.byte() % pinned.size()];
    // The way of another thread, or the arena's own.
    const bool is_others = dice / 2 % 2 == 0;
    EXPECT(is_others ? nautilus::unpin(pool_.memory.ledger(), handle) : pool_.movable->unpin(handle));
    if (--from[handle].pins == 0 && &from == &ghosts_) ghosts_.erase(handle);
  }

  void toggle_reader() {
    if (!views_.empty()) {
      leave_epoch(pool_.memory.header(), kReader);
      views_.clear();
      return;
    }
    const bool settles = input_.byte() % 2 == 0;
    enter_epoch(pool_.memory.header(), kReader);
    for (const auto& [handle, block] : live_) {
      const Held held = settles ? pool_.movable->resolve(handle) : try_resolve(pool_.memory.ledger(), handle);
      EXPECT(held.outcome == HoldOutcome::kHeld || (!settles && held.outcome == HoldOutcome::kOnTheMove));
      if (held.outcome == HoldOutcome::kHeld) views_.push_back({handle, held.offset, block.bytes});
    }
    if (views_.empty()) leave_epoch(pool_.memory.header(), kReader);
  }

  void pass() {
    const PassBudget budget{kGranule << (input_.byte() % 10), 1u + input_.byte() % 8};
    const PassReport report = pool_.movable->pass(budget);
    EXPECT(report.moved_bytes <= budget.max_bytes);
    // One more may end that began before.
    EXPECT(report.moved_blocks <= budget.max_moves + 1);
  }

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

  void many() {
    const uint64_t bytes = (1 + input_.byte() % 64) * 8;
    for (unsigned left = input_.byte() % 32; left > 0; --left) allocate(bytes);
  }

  const char* strategy_;
  Input& input_;
  Pool pool_;
  std::map<uint64_t, Block> live_;
  std::map<uint64_t, Block> ghosts_;  // freed while pinned
  std::vector<View> views_;           // of the reader inside its epoch
  bool is_aligned_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  constexpr int kMostSteps = 600;
  Input input(data, bytes);
  const char* strategy = kStrategies[input.byte() % kStrategies.size()];
  Model model(strategy, (1 + input.number(2) % 1024) * kGranule, input);
  for (int step = 1; step <= kMostSteps && !input.is_empty(); ++step) {
    model.step();
    if (step % 4 == 0) model.check();
  }
  model.check();
  model.drain_everything();
  return 0;
}
