// A ledger page comes from another process, which may be wrong, dead or hostile.
#include "alloc/ledger.h"

#include <cstring>
#include <random>
#include <vector>

#include "alloc/arena.h"
#include "alloc/strategies.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

struct Page {
  alignas(64) std::byte bytes[kLedgerBytes] = {};
};

}  // namespace

TEST("ledger: an empty page says nothing") {
  const Page page;
  EXPECT(!read_ledger(page.bytes).has_value());
}

TEST("ledger: shows the figures of its arena after every change") {
  Page page;
  initialise_ledger(page.bytes, 65536);
  Arena arena(find_strategy("first_fit")->make(65536, 64), 64, 1, page.bytes);
  const uint64_t block = arena.allocate(100, 64);
  arena.allocate(1 << 20, 64);
  EXPECT_EQUAL(read_ledger(page.bytes)->segment_bytes, 65536u);
  EXPECT_EQUAL(read_ledger(page.bytes)->arena.live_bytes, 128u);
  EXPECT_EQUAL(read_ledger(page.bytes)->arena.failures, 1u);
  arena.free(block);
  EXPECT_EQUAL(read_ledger(page.bytes)->arena.live_blocks, 0u);
  EXPECT_EQUAL(read_ledger(page.bytes)->arena.high_water_bytes, 128u);
}

TEST("ledger: a foreign version says nothing, figures are clamped to 2^53 - 1") {
  Page page;
  initialise_ledger(page.bytes, 4096);
  std::memset(page.bytes + 64, 0xff, 64);
  EXPECT_EQUAL(read_ledger(page.bytes)->arena.live_bytes, (uint64_t{1} << 53) - 1);
  page.bytes[8] = std::byte{2};
  EXPECT(!read_ledger(page.bytes).has_value());
}
