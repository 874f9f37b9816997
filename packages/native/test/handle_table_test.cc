// Handles must never name a block they were not made for, up to the last generation of a slot.
#include "alloc/handle_table.h"

#include "test/harness.h"

using nautilus::HandleTable;

TEST("handles: fit 53 bits, are never 0 and find their block") {
  HandleTable table(255);
  EXPECT(table.reserve());
  const uint64_t promised = table.next_handle();
  const uint64_t handle = table.insert({{4096, 128}, 100});
  EXPECT_EQUAL(handle, promised);
  EXPECT(handle != 0 && handle < (uint64_t{1} << 53));
  EXPECT_EQUAL(table.find(handle)->placement.offset, 4096u);
  EXPECT_EQUAL(table.find(handle)->length, 100u);
}

TEST("handles: stale, foreign and invented ones find nothing") {
  HandleTable table(1);
  HandleTable other(2);
  EXPECT(table.reserve() && other.reserve());
  const uint64_t handle = table.insert({});
  const uint64_t foreign = other.insert({});
  EXPECT(table.find(foreign) == nullptr);
  EXPECT(table.find(0) == nullptr);
  EXPECT(table.find(handle + 1) == nullptr);
  EXPECT(table.find(UINT64_MAX) == nullptr);
  table.erase(handle);
  EXPECT(table.find(handle) == nullptr);
  EXPECT(table.reserve());
  const uint64_t successor = table.insert({});
  EXPECT(successor != handle);
  EXPECT(table.find(handle) == nullptr);
}

TEST("handles: a slot is retired before its generation wraps") {
  HandleTable table(3);
  uint64_t first = 0;
  for (uint32_t use = 0; use < HandleTable::kLastGeneration; ++use) {
    EXPECT(table.reserve());
    const uint64_t handle = table.insert({});
    if (use == 0) first = handle;
    EXPECT(use == 0 || handle != first);
    table.erase(handle);
  }
  EXPECT_EQUAL(table.retired(), 1u);
  EXPECT(table.reserve());
  const uint64_t mask = (uint64_t{1} << HandleTable::kSlotBits) - 1;
  EXPECT_EQUAL(table.insert({}) & mask, 1u);
  EXPECT(table.find(first) == nullptr);
}

TEST("handles: no slot left is an answer, not an overflow") {
  HandleTable table(4, 2);
  EXPECT(table.reserve());
  const uint64_t first = table.insert({});
  EXPECT(table.reserve());
  table.insert({});
  EXPECT(!table.reserve());
  table.erase(first);
  EXPECT(table.reserve());
}
