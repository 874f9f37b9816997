// Handles: what they name, and that nothing else is ever taken for one. Every entry of the registry.
#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kCapacity = uint64_t{1} << 22;

void expect_unknown(Arena& arena, uint64_t handle) {
  const ArenaFigures before = arena.figures();
  EXPECT(arena.free(handle) == FreeOutcome::kUnknownBlock);
  EXPECT_EQUAL(arena.figures().frees, before.frees);
  EXPECT_EQUAL(arena.figures().live_bytes, before.live_bytes);
}

}  // namespace

CONFORMANCE("stale and double-freed handles are caught, also when the slot names another block") {
  TestArena arena(entry, kCapacity);
  std::mt19937_64 random(31);
  std::vector<uint64_t> ended;
  Model model(arena);
  for (int step = 0; step < 4000; ++step) {
    if (model.live().empty() || (random() % 2 == 0 && model.live().size() < 64)) {
      EXPECT(model.allocate(1 + random() % 3000, 1) != nullptr);
      EXPECT(std::find(ended.begin(), ended.end(), model.live().back().handle) == ended.end());
    } else {
      const size_t at = arena->is_ordered() ? model.live().size() - 1 : random() % model.live().size();
      ended.push_back(model.live()[at].handle);
      model.free(at);
    }
    if (!ended.empty()) expect_unknown(*arena.arena, ended[random() % ended.size()]);
  }
  for (const uint64_t handle : ended) expect_unknown(*arena.arena, handle);
  model.check();
}

CONFORMANCE("no bit of a handle is without meaning, and no other number is a handle") {
  TestArena arena(entry, kCapacity);
  const uint64_t handle = arena->allocate(100, 1);
  EXPECT(handle != 0 && handle <= kMaxSafeInteger);
  for (unsigned bit = 0; bit < 64; ++bit) expect_unknown(*arena.arena, handle ^ (uint64_t{1} << bit));
  std::mt19937_64 random(32);
  for (int guess = 0; guess < 20000; ++guess) {
    const uint64_t number = random() >> (random() % 64);
    if (number != handle) expect_unknown(*arena.arena, number);
  }
  expect_unknown(*arena.arena, 0);
  expect_unknown(*arena.arena, UINT64_MAX);
  EXPECT(arena->free(handle) == FreeOutcome::kFreed);
}

CONFORMANCE("a handle of another arena is foreign, though slot and generation are the same") {
  TestArena one(entry, kCapacity, kGranule, 1);
  TestArena two(entry, kCapacity, kGranule, 2);
  const uint64_t of_one = one->allocate(100, 1);
  const uint64_t of_two = two->allocate(100, 1);
  EXPECT(of_one != of_two);
  expect_unknown(*one.arena, of_two);
  expect_unknown(*two.arena, of_one);
  EXPECT(one->free(of_one) == FreeOutcome::kFreed);
  EXPECT(two->free(of_two) == FreeOutcome::kFreed);
}

CONFORMANCE("a slot is retired before its generation wraps, and its room is not lost") {
  TestArena arena(entry, kCapacity);
  const uint64_t first = arena->allocate(100, 1);
  EXPECT(arena->free(first) == FreeOutcome::kFreed);
  // As if every free slot had been used two million times.
  for (uint32_t slot = 0; slot < arena->slots().used(); ++slot) {
    uint32_t& word = arena->slots()[slot].word;
    if (state_of(word) == SlotState::kFree) word = slot_word(SlotState::kFree, kLastGeneration - 5);
  }
  uint64_t last = first;
  for (int uses = 0; arena->slots().retired() == 0; ++uses) {
    const uint64_t handle = arena->allocate(100, 1);
    EXPECT(handle != 0);
    const bool same_slot = (handle & (kMaxSlots - 1)) == (last & (kMaxSlots - 1));
    EXPECT(!same_slot || handle > last);
    EXPECT(arena->free(handle) == FreeOutcome::kFreed);
    expect_unknown(*arena.arena, handle);
    last = handle;
    EXPECT(uses < 100'000);
  }
  EXPECT_EQUAL(last >> 32, kLastGeneration);
  expect_unknown(*arena.arena, last);
  expect_unknown(*arena.arena, first);
  EXPECT(state_of(arena.slot(last).word) == SlotState::kRetired);
  Model model(arena);
  const uint64_t next = arena->allocate(100, 1);
  EXPECT((next & (kMaxSlots - 1)) != (last & (kMaxSlots - 1)));
  EXPECT(arena->free(next) == FreeOutcome::kFreed);
  expect_unknown(*arena.arena, last);
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
  const uint64_t whole = arena->allocate(arena->largest_free_bytes(), 1);
  EXPECT(whole != 0);
  EXPECT(arena->free(whole) == FreeOutcome::kFreed);
  // It stays retired for the next owner, too.
  TestArena recovered(arena, true);
  EXPECT_EQUAL(recovered->slots().retired(), 1u);
  expect_unknown(*recovered.arena, last);
}

CONFORMANCE("when no slot is left, that is an answer, and a freed one is used again") {
  constexpr uint32_t kSlots = 40;
  TestArena arena(entry, kCapacity);
  arena.header().slot_capacity = kSlots;
  arena.arena = entry.make(arena.ledger.memory(), arena.geometry);
  Model model(arena);
  while (model.allocate(1000, 1) != nullptr) {
  }
  EXPECT(model.live().size() <= kSlots);
  EXPECT(model.live().size() >= kSlots / 2);  // a slab needs a slot for itself
  EXPECT(arena->free_bytes() > kCapacity / 2);
  EXPECT(model.allocate(10, 1) == nullptr);
  EXPECT(model.allocate(100'000, 4096) == nullptr);
  model.check();
  std::mt19937_64 random(33);
  for (int round = 0; round < 200; ++round) {
    const size_t count = 1 + random() % model.live().size();
    for (size_t at = 0; at < count; ++at) model.free_any(random());
    size_t again = 0;
    while (model.allocate(1000, 1) != nullptr) ++again;
    EXPECT(again >= 1);  // a slab keeps its slots for its size
  }
  model.check();
  model.free_all();
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
}

CONFORMANCE("a thread that is late to end a block does not end the one that has its slot by then") {
  TestArena arena(entry, kCapacity);
  arena->set_contended(true);
  const uint64_t before = arena->allocate(100, 1);
  const auto slot = static_cast<uint32_t>(before & (kMaxSlots - 1));
  // Another thread ends the block after it was found, and publishes the next one in its slot.
  Slot& at = arena.slot(before);
  at.word = slot_word(SlotState::kLive, generation_of(at.word) + 1, 1);
  EXPECT(!arena->slots().unpublish(slot, static_cast<uint32_t>(before >> 32), true));
  EXPECT(state_of(at.word) == SlotState::kLive);
  EXPECT(arena->free(before) == FreeOutcome::kUnknownBlock);
  EXPECT(arena->free(arena->slots().handle_of(slot)) == FreeOutcome::kFreed);
}
