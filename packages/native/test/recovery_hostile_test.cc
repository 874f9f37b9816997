// Fields of a slot that a dead owner may have left wrong, and that something later would believe: a magazine the size
// class of a room, a move the alignment, limbo the epoch.
#include <sys/mman.h>

#include "alloc/strategies.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kSegment = 1 << 18;

struct Ledger {
  Ledger() : bytes(ledger_bytes_for(kSegment, kGranule)) {
    memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    EXPECT(memory != MAP_FAILED);
    initialise_ledger(view(), kSegment, kGranule, 3);
  }
  ~Ledger() { ::munmap(memory, bytes); }
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;
  LedgerMemory view() const { return {static_cast<std::byte*>(memory), bytes}; }
  Slot& slot(uint64_t handle) const { return view().slots()[handle & (kMaxSlots - 1)]; }
  std::unique_ptr<Arena> open(const char* strategy) const {
    return find_strategy(strategy)->make(view(), {kSegment, kGranule});
  }

  uint64_t bytes;
  void* memory = nullptr;
};

}  // namespace

TEST("recovery: a buddy block whose size class is larger than its room is left out") {
  const Ledger ledger;
  uint64_t small = 0;
  uint64_t honest = 0;
  {
    const auto arena = ledger.open("buddy");
    small = arena->allocate(64, 1);
    honest = arena->allocate(64, 1);
  }
  ledger.slot(small).size_class = 60;
  ledger.slot(honest).size_class = 0;
  const auto arena = ledger.open("buddy");
  EXPECT(arena->recover());
  EXPECT_EQUAL(arena->left_out(), 1u);
  EXPECT(arena->free(small) == FreeOutcome::kUnknownBlock);
  EXPECT(arena->free(honest) == FreeOutcome::kFreed);
}

TEST("recovery: an alignment that a block cannot have becomes the granule's") {
  const Ledger ledger;
  uint64_t handles[3] = {};
  {
    const auto arena = ledger.open("first_fit");
    for (uint64_t& handle : handles) handle = arena->allocate(64, 64);
  }
  ledger.slot(handles[0]).alignment_log2 = 200;
  ledger.slot(handles[1]).alignment_log2 = 1;
  ledger.slot(handles[2]).alignment_log2 = 12;  // at offset 128
  const auto arena = ledger.open("first_fit");
  EXPECT(arena->recover());
  for (const uint64_t handle : handles) EXPECT_EQUAL(int{ledger.slot(handle).alignment_log2}, 6);
}

TEST("recovery: an epoch that no link in limbo could hold starts anew") {
  const Ledger ledger;
  { const auto arena = ledger.open("best_fit"); }
  ledger.view().header().epoch = kMostEpochs + 1;
  const auto arena = ledger.open("best_fit");
  EXPECT(arena->recover());
  EXPECT_EQUAL(ledger.view().header().epoch, 1u);
}

TEST("arena: nothing has no place") {
  for (const StrategyEntry& entry : strategies()) {
    const Ledger ledger;
    const auto arena = entry.make(ledger.view(), {kSegment, kGranule});
    EXPECT_EQUAL(arena->allocate(0, 1), 0u);
    EXPECT_EQUAL(arena->allocate_at(0, 0), 0u);
    EXPECT_EQUAL(arena->free_bytes(), kSegment);
  }
}
