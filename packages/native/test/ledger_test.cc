// A ledger comes from another process, which may be wrong, dead or hostile.
#include "alloc/ledger.h"

#include <limits>

#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

TEST("ledger: an empty page, a short one, a foreign magic and a foreign version say nothing") {
  const SparseLedger ledger(kLedgerHeaderBytes);
  EXPECT(!read_ledger(ledger.memory().base, kLedgerHeaderBytes).has_value());
  initialise_ledger(ledger.memory(), 0, 64, 1);
  EXPECT(read_ledger(ledger.memory().base, kLedgerHeaderBytes).has_value());
  EXPECT(!read_ledger(ledger.memory().base, kLedgerHeaderBytes - 1).has_value());
  EXPECT(!read_blocks(ledger.memory().base, kLedgerHeaderBytes - 1).has_value());
  ledger.memory().header().version += 1;
  EXPECT(!read_ledger(ledger.memory().base, kLedgerHeaderBytes).has_value());
  EXPECT(!read_blocks(ledger.memory().base, kLedgerHeaderBytes).has_value());
  ledger.memory().header().version -= 1;
  ledger.memory().header().magic ^= 1;
  EXPECT(!read_ledger(ledger.memory().base, kLedgerHeaderBytes).has_value());
}

TEST("ledger: shows the figures of its arena after every change") {
  TestArena arena(*find_strategy("first_fit"), 65536);
  const auto shown = [&] { return read_ledger(arena.ledger.memory().base, kLedgerHeaderBytes)->arena; };
  const uint64_t block = arena->allocate(100, 64);
  EXPECT_EQUAL(arena->allocate(1 << 20, 64), 0u);
  EXPECT_EQUAL(read_ledger(arena.ledger.memory().base, kLedgerHeaderBytes)->segment_bytes, 65536u);
  EXPECT_EQUAL(shown().live_bytes, 128u);
  EXPECT_EQUAL(shown().live_blocks, 1u);
  EXPECT_EQUAL(shown().failures, 1u);
  arena->free(block);
  EXPECT_EQUAL(shown().live_blocks, 0u);
  EXPECT_EQUAL(shown().live_bytes, 0u);
  EXPECT_EQUAL(shown().high_water_bytes, 128u);
  // What magazines count by themselves is added; what they hold is not live.
  arena.header().attachments_used = 1;
  arena.header().attachments[0].allocations = 10;
  arena.header().attachments[0].frees = 7;
  arena.header().attachments[0].cached_bytes = 64;
  arena.header().taken_bytes = 256;
  EXPECT_EQUAL(shown().live_blocks, 3u);
  EXPECT_EQUAL(shown().live_bytes, 192u);
  EXPECT_EQUAL(shown().cached_bytes, 64u);
}

TEST("ledger: a block has at most 32 bytes of it, and none of the payload") {
  constexpr uint64_t kCapacity = uint64_t{1} << 20;
  EXPECT_EQUAL(ledger_bytes_for(kCapacity, 64), kLedgerHeaderBytes + 32 * (kCapacity / 64));
  EXPECT_EQUAL(ledger_bytes_for(uint64_t{1} << 40, 512), kLedgerHeaderBytes + uint64_t{32} * kMaxSlots);
}

TEST("ledger: nonsense is clamped to 2^53 - 1, never undefined") {
  TestArena arena(*find_strategy("first_fit"), 65536);
  LedgerHeader& header = arena.header();
  header.allocations = header.frees = header.failures = header.taken_bytes = header.high_water_bytes = UINT64_MAX;
  header.segment_bytes = UINT64_MAX;
  header.attachments_used = UINT32_MAX;
  const double numbers[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                            -std::numeric_limits<double>::infinity(), -1, 1e300, 0.5};
  for (uint32_t at = 0; at < kMaxAttachments; ++at) {
    header.attachments[at].allocations = numbers[at % 6];
    header.attachments[at].frees = numbers[(at + 1) % 6];
    header.attachments[at].cached_bytes = numbers[(at + 2) % 6];
  }
  const LedgerFigures found = *read_ledger(arena.ledger.memory().base, kLedgerHeaderBytes);
  for (const uint64_t figure : {found.segment_bytes, found.arena.live_blocks, found.arena.live_bytes,
                                found.arena.cached_bytes, found.arena.allocations, found.arena.frees,
                                found.arena.failures, found.arena.high_water_bytes}) {
    EXPECT(figure <= kMaxSafeInteger);
  }
}

TEST("ledger: blocks outside their segment or beyond the mapped bytes are left out") {
  TestArena arena(*find_strategy("first_fit"), 65536);
  const uint64_t one = arena->allocate(100, 1);
  const uint64_t two = arena->allocate(100, 1);
  const uint64_t three = arena->allocate(100, 1);
  arena.slot(one).offset = 65536 - 99;
  arena.slot(two).length = 65537;
  const LedgerMemory memory = arena.ledger.memory();
  EXPECT_EQUAL(arena.blocks().size(), 1u);
  EXPECT_EQUAL(arena.blocks()[0].handle, three);
  EXPECT_EQUAL(read_blocks(memory.base, kLedgerHeaderBytes + 2 * sizeof(Slot))->size(), 0u);
  arena.header().slots_used = UINT32_MAX;
  EXPECT_EQUAL(read_blocks(memory.base, memory.bytes)->size(), 1u);
}
