// Recovery near the end of everything: slots that are soon retired, and hardly one left. Every published block must
// come back all the same, because a killed owner has done nothing wrong.
#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "alloc/strategies.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

constexpr uint64_t kGranule = 64;
struct alignas(4096) Page {
  std::byte bytes[4096];
};

struct Ledger {
  explicit Ledger(uint64_t segment) : pages(ledger_bytes_for(segment, kGranule) / sizeof(Page)) {}
  LedgerMemory view() { return {pages[0].bytes, pages.size() * sizeof(Page)}; }
  std::vector<Page> pages = {};
};

// Blocks of one granule mostly, so that there are hardly more slots than blocks.
void churn_and_recover(const StrategyEntry& entry, uint32_t seed) {
  std::mt19937 random(seed);
  const uint64_t segment = (64 + random() % 400) * kGranule;
  Ledger ledger(segment);
  initialise_ledger(ledger.view(), segment, kGranule, 7);
  for (uint32_t slot = 0; slot < slots_for(segment, kGranule); ++slot) {
    ledger.view().slots()[slot].word = slot_word(SlotState::kFree, kLastGeneration - random() % 6);
  }
  const auto arena = entry.make(ledger.view(), {segment, kGranule});
  std::vector<uint64_t> live;
  for (int step = 0; step < 3000; ++step) {
    if (random() % 100 < 55 || live.empty()) {
      const uint64_t bytes = random() % 8 != 0 ? 1 + random() % 64 : 1 + random() % 1000;
      if (const uint64_t handle = arena->allocate(bytes, kGranule)) live.push_back(handle);
    } else {
      const size_t at = arena->is_ordered() ? live.size() - 1 : random() % live.size();
      EXPECT(arena->free(live[at]) == FreeOutcome::kFreed);
      live[at] = live.back();
      live.pop_back();
    }
    if (step % 37 != 0) continue;
    Ledger left = ledger;
    const auto recovered = entry.make(left.view(), {segment, kGranule});
    EXPECT(recovered->recover());
    EXPECT_EQUAL(recovered->left_out(), 0u);
    EXPECT_EQUAL(recovered->figures().live_blocks, live.size());
    for (const uint64_t handle : live) EXPECT(recovered->slots().find(handle) != kNoSlot);
  }
}

}  // namespace

TEST("recovery: with slots that retire and hardly one left, every published block comes back") {
  for (const StrategyEntry& entry : strategies()) {
    for (uint32_t seed = 1; seed <= 12; ++seed) churn_and_recover(entry, seed);
  }
}
