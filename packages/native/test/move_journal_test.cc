// What can happen to a block on its way: a kill between and within chunks, a free, a pin, and threads that hold
// blocks in place while the owner moves them.
#include "alloc/move_journal.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "test/movable_pool.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

// A block that must slide by `distance`: what was before it has been freed.
struct Sliding {
  Sliding(uint64_t distance, uint64_t length) : pool("first_fit", distance + length + 64 * 1024), bytes(length) {
    const uint64_t hole = pool.movable->allocate(distance, kGranule);
    handle = pool.movable->allocate(bytes, kGranule);
    behind = pool.movable->allocate(4096, kGranule);
    fill(pool.memory.payload() + distance, handle, bytes);
    fill(pool.memory.payload() + distance + align_up(bytes, kGranule), behind, 4096);
    pool.movable->free(hole);
  }
  bool is_whole(Pool& heir) const {
    const Held held = heir.movable->pin(handle);
    const Held other = heir.movable->pin(behind);
    return held.outcome == HoldOutcome::kHeld && holds(heir.memory.payload() + held.offset, handle, bytes) &&
           other.outcome == HoldOutcome::kHeld && holds(heir.memory.payload() + other.offset, behind, 4096);
  }

  Pool pool;
  uint64_t bytes;
  uint64_t handle = 0;
  uint64_t behind = 0;
};

}  // namespace

TEST("move journal: killed before, within or after any chunk, a slide is finished and no byte is lost") {
  std::mt19937_64 random(11);
  for (const auto& [distance, bytes] : {std::pair<uint64_t, uint64_t>{64, 1000}, {128, 8000}, {4096, 5000},
                                        {192, 64 * 40}, {3 * 64, 64}, {130 * 1024, 700 * 1024}}) {
    Sliding sliding(distance, bytes);
    Memory& memory = sliding.pool.memory;
    const uint64_t room = align_up(bytes, kGranule);
    const uint32_t slot = static_cast<uint32_t>(sliding.handle) & (kMaxSlots - 1);
    memory.ledger().slots()[slot].pins = kMoving;
    begin_slide(memory.header().move, slot, distance, 0, room);
    int copies = 0;
    const auto expect_recoverable = [&](Memory left) {
      ++copies;
      // Recovery itself may be killed: what it does first is done again.
      Memory again = left;
      if (again.header().move.active != 0) {
        slide(again.header().move, again.payload(), again.header().move.bytes / 2);
        Pool heir("best_fit", std::move(again), true);
        EXPECT(sliding.is_whole(heir));
      }
      Pool heir("first_fit", std::move(left), true);
      EXPECT_EQUAL(heir.memory.header().move.active, 0u);
      EXPECT(sliding.is_whole(heir));
      EXPECT_EQUAL(heir.movable->resolve(sliding.handle).offset, uint64_t{0});
    };
    slide(memory.header().move, memory.payload(), room, [&](uint64_t done, uint64_t chunk) {
      expect_recoverable(memory);
      // Within the chunk: any of its bytes have arrived, in any order.
      Memory left = memory;
      for (uint64_t byte = 0; byte < chunk; ++byte) {
        if (random() % 2 == 0) left.payload()[done + byte] = memory.payload()[distance + done + byte];
      }
      expect_recoverable(std::move(left));
    });
    expect_recoverable(memory);
    store_release(memory.ledger().slots()[slot].offset, uint64_t{0});
    expect_recoverable(memory);
    end_slide(memory.header().move);
    expect_recoverable(memory);
    EXPECT(copies >= 5);
  }
}

TEST("move journal: a move of many passes survives a kill after each of them, for slides and for copies") {
  for (const uint64_t distance : {uint64_t{128}, uint64_t{64 * 1024}}) {
    Sliding sliding(distance, 40 * 1024);
    int passes = 0;
    int on_the_move = 0;
    while (sliding.pool.movable->pass({1000, 1}).more) {
      ++passes;
      const Held held = try_resolve(sliding.pool.memory.ledger(), sliding.handle);
      on_the_move += held.outcome == HoldOutcome::kOnTheMove ? 1 : 0;
      EXPECT(try_pin(sliding.pool.memory.ledger(), sliding.handle).outcome ==
             (held.outcome == HoldOutcome::kHeld ? HoldOutcome::kHeld : HoldOutcome::kOnTheMove));
      if (held.outcome == HoldOutcome::kHeld) unpin(sliding.pool.memory.ledger(), sliding.handle);
      Pool heir("first_fit", sliding.pool.memory, true);
      EXPECT(sliding.is_whole(heir));
    }
    EXPECT(on_the_move >= 40);
    EXPECT(sliding.is_whole(sliding.pool));
  }
}

TEST("move journal: a block on its way can be pinned, read and freed; allocation takes no place it needs") {
  for (const uint64_t distance : {uint64_t{128}, uint64_t{64 * 1024}}) {
    for (const int what : {0, 1, 2, 3}) {
      Sliding sliding(distance, 40 * 1024);
      MovableArena& movable = *sliding.pool.movable;
      Memory& memory = sliding.pool.memory;
      movable.pass({1000, 1});
      EXPECT(try_pin(memory.ledger(), sliding.handle).outcome == HoldOutcome::kOnTheMove);
      EXPECT(!movable.unpin(sliding.handle));
      if (what == 0) {
        EXPECT(movable.pin(sliding.handle).outcome == HoldOutcome::kHeld);
      } else if (what == 1) {
        EXPECT(movable.resolve(sliding.handle).outcome == HoldOutcome::kHeld);
      } else if (what == 2) {
        EXPECT(movable.free(sliding.handle) == FreeOutcome::kFreed);
        EXPECT_EQUAL(memory.header().move.active, 0u);
        while (movable.pass({}).more) continue;
        EXPECT_EQUAL(sliding.pool.arena->free_bytes(), memory.capacity - 4096);
        EXPECT_EQUAL(sliding.pool.arena->largest_free_bytes(), memory.capacity - 4096);
        continue;
      } else {
        std::vector<uint64_t> others;
        while (const uint64_t handle = movable.allocate(kGranule, kGranule)) {
          std::memset(memory.payload() + movable.resolve(handle).offset, 0xee, kGranule);
        }
      }
      EXPECT(sliding.is_whole(sliding.pool));
      EXPECT_EQUAL(memory.header().move.active, 0u);
    }
  }
}

TEST("move journal: what contradicts the ledger is refused and left as it is") {
  const auto refused = [](auto spoil) {
    Sliding sliding(128, 8000);
    sliding.pool.movable->pass({1000, 1});
    Memory left = sliding.pool.memory;
    EXPECT_EQUAL(left.header().move.active, 1u);
    spoil(left.header().move);
    const MoveJournal before = left.header().move;
    EXPECT(!finish_interrupted_move(left.ledger(), left.payload()));
    EXPECT_EQUAL(std::memcmp(&before, &left.header().move, sizeof(before)), 0);
  };
  refused([](MoveJournal& journal) { journal.slot = kMaxSlots; });
  refused([](MoveJournal& journal) { journal.to = journal.from; });
  refused([](MoveJournal& journal) { journal.from = uint64_t{1} << 60; });
  refused([](MoveJournal& journal) { journal.bytes = UINT64_MAX; });
  refused([](MoveJournal& journal) { journal.bytes = 64; });
  refused([](MoveJournal& journal) { journal.done = journal.bytes + 1; });
  refused([](MoveJournal& journal) { journal.from += 64; });
}

TEST("pins: their number has an end, the last generation retires its slot, and foreign handles hold nothing") {
  Pool pool("best_fit", 64 * 1024);
  const uint64_t handle = pool.movable->allocate(64, kGranule);
  const LedgerMemory ledger = pool.memory.ledger();
  EXPECT(!unpin(ledger, handle));
  for (uint32_t pin = 0; pin < kMostPins; ++pin) EXPECT(try_pin(ledger, handle).outcome == HoldOutcome::kHeld);
  EXPECT(try_pin(ledger, handle).outcome == HoldOutcome::kTooManyPins);
  EXPECT(pool.movable->pin(handle).outcome == HoldOutcome::kTooManyPins);
  for (uint32_t pin = 0; pin < kMostPins; ++pin) EXPECT(unpin(ledger, handle));
  EXPECT(!unpin(ledger, handle));
  for (const uint64_t foreign : {handle ^ 1, handle ^ (uint64_t{1} << kSlotBits), handle ^ (uint64_t{1} << 32),
                                 handle | (uint64_t{1} << 53), uint64_t{0}}) {
    EXPECT(try_pin(ledger, foreign).outcome == HoldOutcome::kUnknownBlock);
    EXPECT(try_resolve(ledger, foreign).outcome == HoldOutcome::kUnknownBlock);
    EXPECT(!unpin(ledger, foreign));
    EXPECT(pool.movable->free(foreign) == FreeOutcome::kUnknownBlock);
  }
  EXPECT(pool.movable->free(handle) == FreeOutcome::kFreed);
  Slot& slot = ledger.slots()[static_cast<uint32_t>(handle) & (kMaxSlots - 1)];
  slot.word = slot_word(SlotState::kFree, kLastGeneration);
  const uint64_t last = pool.movable->allocate(64, kGranule);
  EXPECT_EQUAL(last >> 32, uint64_t{kLastGeneration});
  EXPECT(pool.movable->pin(last).outcome == HoldOutcome::kHeld);
  EXPECT(pool.movable->free(last) == FreeOutcome::kFreed);
  EXPECT_EQUAL(pool.movable->limbo_rooms(), uint64_t{1});
  EXPECT(pool.movable->unpin(last));
  EXPECT_EQUAL(pool.movable->limbo_rooms(), uint64_t{0});
  EXPECT(state_of(slot.word) == SlotState::kRetired);
  EXPECT_EQUAL(pool.arena->free_bytes(), pool.memory.capacity);
}

TEST("pins and epochs: threads write under pins and read inside epochs while the owner moves, frees and allocates") {
  Pool pool("first_fit", 256 * 1024);
  constexpr int kThreads = 3;
  constexpr uint64_t kBytes = 2048;
  pool.attach(kThreads);
  const LedgerMemory ledger = pool.memory.ledger();
  std::byte* const payload = pool.memory.payload();
  std::mutex lock;
  std::atomic<bool> ended{false};
  std::atomic<int> wrong{0};
  std::atomic<uint64_t> written{0};
  std::atomic<uint64_t> read{0};
  // Kept blocks stay to the end; their first word counts what writers added under a pin.
  std::vector<uint64_t> kept;
  std::vector<std::atomic<uint64_t>> expected(16);
  std::vector<std::atomic<uint64_t>> passing(16);
  for (size_t at = 0; at < expected.size(); ++at) {
    pool.movable->allocate(64 * (1 + at % 3), kGranule);
    kept.push_back(pool.movable->allocate(kBytes, kGranule));
    fill(payload + pool.movable->resolve(kept[at]).offset, kept[at], kBytes);
    std::memset(payload + pool.movable->resolve(kept[at]).offset, 0, 8);
  }
  const auto write = [&](uint32_t seed) {
    std::mt19937 random(seed);
    while (!ended) {
      const size_t at = random() % kept.size();
      Held held = try_pin(ledger, kept[at]);
      if (held.outcome == HoldOutcome::kOnTheMove) {
        const std::lock_guard guard(lock);
        held = pool.movable->pin(kept[at]);
      }
      if (held.outcome != HoldOutcome::kHeld) {
        ++wrong;
        continue;
      }
      std::atomic_ref(*reinterpret_cast<uint64_t*>(payload + held.offset)).fetch_add(1);
      ++expected[at];
      ++written;
      if (!unpin(ledger, kept[at])) ++wrong;
    }
  };
  const auto read_inside_epochs = [&](uint32_t attachment) {
    std::mt19937 random(attachment + 100);
    while (!ended) {
      enter_epoch(pool.memory.header(), attachment);
      const uint64_t handle = passing[random() % passing.size()].load();
      Held held = try_resolve(ledger, handle);
      if (held.outcome == HoldOutcome::kOnTheMove) {
        const std::lock_guard guard(lock);
        held = pool.movable->resolve(handle);
      }
      if (held.outcome == HoldOutcome::kHeld) {
        if (!holds(payload + held.offset, handle, kBytes)) ++wrong;
        ++read;
      }
      leave_epoch(pool.memory.header(), attachment);
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(write, 1);
  for (uint32_t attachment = 0; attachment < kThreads - 1; ++attachment) {
    threads.emplace_back(read_inside_epochs, attachment);
  }
  std::mt19937 random(3);
  uint64_t moved = 0;
  // A busy machine may leave the other threads little time.
  const auto is_enough = [&] { return moved > 1000 && written > 1000 && read > 1000; };
  for (int step = 0; step < 500000 && (step < 5000 || !is_enough()); ++step) {
    std::this_thread::yield();
    const std::lock_guard guard(lock);
    std::atomic<uint64_t>& place = passing[random() % passing.size()];
    if (const uint64_t handle = place.exchange(0)) EXPECT(pool.movable->free(handle) == FreeOutcome::kFreed);
    const uint64_t handle = pool.movable->allocate(kBytes + 64 * (random() % 40), kGranule);
    if (handle != 0) {
      fill(payload + pool.movable->resolve(handle).offset, handle, kBytes);
      place.store(handle);
    }
    moved += pool.movable->pass({uint64_t{512} << random() % 6, 4}).moved_blocks;
  }
  ended = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQUAL(wrong.load(), 0);
  EXPECT(is_enough());
  for (size_t at = 0; at < kept.size(); ++at) {
    const std::byte* found = payload + pool.movable->resolve(kept[at]).offset;
    uint64_t count = 0;
    std::memcpy(&count, found, 8);
    EXPECT_EQUAL(count, expected[at].load());
    for (uint64_t word = 1; word < kBytes / 8; ++word) {
      uint64_t value = 0;
      std::memcpy(&value, found + word * 8, 8);
      EXPECT_EQUAL(value, pattern(kept[at], word));
    }
  }
}
