// Rooms that are taken in advance and published, freed and used again by one store into the ledger, as JavaScript's
// magazines do, and the death of an owner at any of these moments. Every entry of the registry.
#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kCapacity = uint64_t{1} << 22;
constexpr uint32_t kOwner = 1;

void skip_ordered(const TestArena& arena) {
  if (arena->is_ordered()) throw Skipped{"rooms taken in advance come back in any order, which this strategy refuses"};
}

// The one store that JavaScript makes, and what it wrote before.
uint64_t publish(TestArena& arena, uint32_t slot, uint64_t bytes) {
  Slot& at = arena.ledger.memory().slots()[slot];
  store_relaxed(at.length, bytes);
  const uint32_t generation = generation_of(at.word);
  store_release(at.word, slot_word(SlotState::kLive, generation, kOwner));
  return (uint64_t{generation} << 32) | (uint64_t{arena.header().tag} << kSlotBits) | slot;
}
// The other one: the block ends, its room stays in the magazine.
void take_back(TestArena& arena, uint64_t handle) {
  Slot& at = arena.slot(handle);
  store_release(at.word, slot_word(SlotState::kReserved, static_cast<uint32_t>(handle >> 32) + 1, kOwner));
}

std::vector<uint32_t> reserve(TestArena& arena, uint32_t owner, uint32_t size_class, uint32_t count) {
  std::vector<uint32_t> slots(count);
  slots.resize(arena->reserve(owner, size_class, slots));
  return slots;
}

}  // namespace

TEST("stack: gives no rooms in advance, and says so by giving none") {
  TestArena arena(*find_strategy("stack"), kCapacity);
  EXPECT(arena->allocate(100, 1) != 0);
  EXPECT(reserve(arena, kOwner, 3, 8).empty());
  EXPECT_EQUAL(arena->figures().live_bytes, 128u);
  EXPECT_EQUAL(arena->figures().failures, 0u);
}

CONFORMANCE("reserved rooms are taken, are no blocks yet, overlap nothing, and come back whole") {
  TestArena arena(entry, kCapacity);
  skip_ordered(arena);
  Model model(arena);
  for (int block = 0; block < 50; ++block) model.allocate(100 + 700 * (block % 9), 1);
  for (const uint32_t size_class : {0u, 5u, 20u, 60u, 90u}) {
    const uint64_t room = class_granules(size_class) * kGranule;
    const uint64_t before = arena->free_bytes();
    const std::vector<uint32_t> slots = reserve(arena, kOwner, size_class, 16);
    EXPECT_EQUAL(slots.size(), 16u);
    EXPECT_EQUAL(arena.blocks().size(), model.live().size());
    std::map<uint64_t, uint64_t> ends = model.ends();
    for (const uint32_t slot : slots) {
      const Slot& at = arena.ledger.memory().slots()[slot];
      EXPECT(state_of(at.word) == SlotState::kReserved);
      EXPECT_EQUAL(owner_of(at.word), kOwner);
      EXPECT_EQUAL(uint32_t{at.size_class}, size_class);
      EXPECT(at.offset % kGranule == 0 && at.offset + room <= kCapacity);
      EXPECT(ends.emplace(at.offset, at.offset + room).second);
      EXPECT(arena->free(arena->slots().handle_of(slot)) == FreeOutcome::kUnknownBlock);
    }
    uint64_t end = 0;
    for (const auto& [from, to] : ends) {
      EXPECT(from >= end);
      end = to;
    }
    EXPECT(before - arena->free_bytes() >= 16 * room);
    // A stranger's call and numbers that are no slots change nothing.
    const uint64_t taken = arena->free_bytes();
    arena->give_back(kOwner + 1, slots);
    const std::vector<uint32_t> none{kMaxSlots - 1, kNoSlot, UINT32_MAX - 1};
    arena->give_back(kOwner, none);
    EXPECT_EQUAL(arena->free_bytes(), taken);
    arena->give_back(kOwner, slots);
    arena->give_back(kOwner, slots);  // twice is once
    EXPECT_EQUAL(arena->free_bytes(), before);
  }
  model.free_all();
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
}

CONFORMANCE("a block that a magazine published is a block like any other") {
  TestArena arena(entry, kCapacity);
  skip_ordered(arena);
  arena->set_contended(true);
  const std::vector<uint32_t> slots = reserve(arena, kOwner, 7, 8);
  const uint64_t handle = publish(arena, slots[0], 500);
  EXPECT_EQUAL(arena.blocks().size(), 1u);
  EXPECT_EQUAL(arena.blocks()[0].handle, handle);
  EXPECT_EQUAL(arena.blocks()[0].length, 500u);
  // Ended by the magazine: stale at once, though the same room is published again.
  take_back(arena, handle);
  EXPECT(arena->free(handle) == FreeOutcome::kUnknownBlock);
  const uint64_t again = publish(arena, slots[0], 512);
  EXPECT(again != handle);
  EXPECT(arena->free(handle) == FreeOutcome::kUnknownBlock);
  EXPECT(arena->free(again) == FreeOutcome::kFreed);
  EXPECT(arena->free(again) == FreeOutcome::kUnknownBlock);
  // What the arena took back is no longer the magazine's.
  const uint64_t before = arena->free_bytes();
  arena->give_back(kOwner, {slots.data(), 1});
  EXPECT_EQUAL(arena->free_bytes(), before);
  arena->give_back(kOwner, slots);
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
}

CONFORMANCE("detaching gives back what was reserved, keeps what was published, and adds up the counters") {
  TestArena arena(entry, kCapacity);
  skip_ordered(arena);
  const std::vector<uint32_t> mine = reserve(arena, kOwner, 4, 10);
  const std::vector<uint32_t> other = reserve(arena, kOwner + 1, 4, 10);
  arena.header().attachments_used = 2;
  const uint64_t block = publish(arena, mine[3], 200);
  arena.header().attachments[0].allocations = 5;
  arena.header().attachments[0].frees = 4;
  const uint64_t room = arena->figures().live_bytes / 20;
  arena->detach(kOwner);
  EXPECT_EQUAL(arena->figures().live_bytes, 11 * room);
  EXPECT_EQUAL(arena->figures().allocations, 5u);
  EXPECT_EQUAL(arena->figures().frees, 4u);
  EXPECT_EQUAL(arena.header().attachments[0].allocations, 0.0);
  arena->detach(kOwner);
  EXPECT_EQUAL(arena->figures().allocations, 5u);
  EXPECT(arena->free(block) == FreeOutcome::kFreed);
  arena->give_back(kOwner + 1, other);
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
  EXPECT_EQUAL(arena->figures().live_blocks, 0u);
}

CONFORMANCE("recovery from a copied ledger returns exactly the published blocks, and the arena goes on") {
  std::mt19937_64 random(41);
  for (int round = 0; round < 20; ++round) {
    TestArena dead(entry, kCapacity);
    Model before(dead);
    for (int step = 0; step < 600; ++step) {
      if (before.live().empty() || random() % 100 < 65) {
        const uint64_t alignment = random() % 4 == 0 ? uint64_t{1} << (random() % 17) : 1;
        before.allocate(log_uniform(random, 1, 20000), alignment);
      } else {
        before.free_any(random());
      }
    }
    // Rooms in magazines are nobody's after a death.
    if (!dead->is_ordered()) reserve(dead, kOwner, random() % 60, 8);
    const std::vector<PublishedBlock> published = dead.blocks();
    EXPECT_EQUAL(published.size(), before.live().size());

    TestArena next(dead, true);
    EXPECT_EQUAL(next->left_out(), 0u);
    const std::vector<PublishedBlock> found = next.blocks();
    EXPECT_EQUAL(found.size(), published.size());
    std::map<uint64_t, Block> expected;
    uint64_t taken = 0;
    for (const Block& block : before.live()) {
      expected[block.handle] = block;
      taken += block.room;
    }
    for (size_t at = 0; at < found.size(); ++at) {
      const Block& block = expected.at(found[at].handle);
      EXPECT_EQUAL(found[at].handle, published[at].handle);
      EXPECT_EQUAL(found[at].offset, block.offset);
      EXPECT_EQUAL(found[at].length, block.length);
      EXPECT_EQUAL(found[at].room, block.room);
    }
    EXPECT_EQUAL(next->figures().live_bytes, taken);
    EXPECT_EQUAL(next->figures().live_blocks, before.live().size());
    if (!next->is_ordered()) EXPECT_EQUAL(next->free_bytes() + taken, kCapacity);

    // It goes on: new blocks beside the old ones, and the old ones end by their old names.
    std::vector<Block> old = before.live();
    std::map<uint64_t, uint64_t> ends = before.ends();
    std::vector<uint64_t> fresh;
    for (int block = 0; block < 100; ++block) {
      const uint64_t bytes = next->figures().live_bytes;
      const uint64_t handle = next->allocate(log_uniform(random, 1, 20000), 1);
      if (handle == 0) break;
      EXPECT(expected.count(handle) == 0);
      const uint64_t start = next.slot(handle).offset;
      EXPECT(ends.emplace(start, start + next->figures().live_bytes - bytes).second);
      fresh.push_back(handle);
    }
    uint64_t end = 0;
    for (const auto& [from, to] : ends) {
      EXPECT(from >= end);
      end = to;
    }
    EXPECT(end <= kCapacity);
    while (!fresh.empty()) {
      EXPECT(next->free(fresh.back()) == FreeOutcome::kFreed);
      fresh.pop_back();
    }
    if (!next->is_ordered()) std::shuffle(old.begin(), old.end(), random);
    if (next->is_ordered()) {
      std::sort(old.begin(), old.end(), [](const Block& one, const Block& two) { return one.offset < two.offset; });
    }
    while (!old.empty()) {
      EXPECT(next->free(old.back().handle) == FreeOutcome::kFreed);
      old.pop_back();
    }
    EXPECT_EQUAL(next->free_bytes(), kCapacity);
    EXPECT_EQUAL(next->figures().live_blocks, 0u);
  }
}
