// What the conformance suite is written with: arenas of any registered strategy over a sparse ledger, a test that runs
// once for each of them, and a model of what lives, which knows places from the ledger and rooms from the figures.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alloc/strategies.h"
#include "test/harness.h"

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

namespace nautilus::test {

// Zero pages that cost memory only where they are touched, as those of a shared segment.
class SparseLedger {
 public:
  explicit SparseLedger(uint64_t bytes) : bytes_(bytes) {
    base_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    EXPECT(base_ != MAP_FAILED);
  }
  SparseLedger(const SparseLedger& other) = delete;
  SparseLedger& operator=(const SparseLedger&) = delete;
  ~SparseLedger() { ::munmap(base_, bytes_); }

  LedgerMemory memory() const { return {static_cast<std::byte*>(base_), bytes_}; }
  // As a kill leaves it: what was ever used, byte for byte.
  void copy_from(const SparseLedger& other) {
    const LedgerMemory from = other.memory();
    std::memcpy(base_, from.base, kLedgerHeaderBytes + uint64_t{from.header().slots_used} * sizeof(Slot));
  }

 private:
  void* base_;
  uint64_t bytes_;
};

struct TestArena {
  TestArena(const StrategyEntry& entry, uint64_t capacity, uint64_t granule = 64, uint8_t tag = 9)
      : strategy(entry), geometry{capacity, granule}, ledger(ledger_bytes_for(capacity, granule)) {
    initialise_ledger(ledger.memory(), capacity, granule, tag);
    arena = strategy.make(ledger.memory(), geometry);
  }
  // The next owner of a ledger whose owner died.
  TestArena(const TestArena& dead, bool recovered) : strategy(dead.strategy), geometry(dead.geometry),
                                                     ledger(ledger_bytes_for(geometry.capacity, geometry.granule)) {
    ledger.copy_from(dead.ledger);
    arena = strategy.make(ledger.memory(), geometry);
    if (recovered) EXPECT(arena->recover());
  }
  Arena* operator->() const { return arena.get(); }
  Slot& slot(uint64_t handle) const { return ledger.memory().slots()[handle & (kMaxSlots - 1)]; }
  LedgerHeader& header() const { return ledger.memory().header(); }
  std::vector<PublishedBlock> blocks() const { return *read_blocks(ledger.memory().base, ledger.memory().bytes); }
  bool is(const char* name) const { return strategy.name == name; }

  const StrategyEntry& strategy;
  Geometry geometry;
  SparseLedger ledger;
  std::unique_ptr<Arena> arena;
};

struct Block {
  uint64_t handle = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t room = 0;
};

// Live blocks beside an arena; each operation is checked when it is done.
class Model {
 public:
  explicit Model(TestArena& arena) : arena_(arena) {}

  const std::vector<Block>& live() const { return live_; }
  const std::map<uint64_t, uint64_t>& ends() const { return ends_; }  // by offset
  uint64_t taken() const { return taken_; }

  // Nothing when the arena says that nothing fits.
  const Block* allocate(uint64_t bytes, uint64_t alignment);
  // One that was allocated past the model.
  const Block* adopt(uint64_t handle, uint64_t bytes, uint64_t alignment, uint64_t room);
  void free(size_t at);
  // Of a block that was freed past the model.
  void forget(size_t at);
  void free_newest() { free(live_.size() - 1); }
  // A random one, or the newest when the strategy is ordered.
  void free_any(uint64_t random) { free(arena_->is_ordered() ? live_.size() - 1 : random % live_.size()); }
  void free_all() {
    while (!live_.empty()) free_newest();
  }
  // Figures, free ranges and the ledger's own list against what lives.
  void check() const;

 private:
  TestArena& arena_;
  std::vector<Block> live_;
  std::map<uint64_t, uint64_t> ends_;
  uint64_t taken_ = 0;
  uint64_t high_water_ = 0;
  uint64_t allocations_ = 0;
  uint64_t frees_ = 0;
  uint64_t failures_ = 0;
};

// Evenly spread over the powers of two between the two.
inline uint64_t log_uniform(std::mt19937_64& random, uint64_t least, uint64_t most) {
  const double low = std::log2(static_cast<double>(least));
  const double high = std::log2(static_cast<double>(most));
  const double part = static_cast<double>(random() >> 11) / static_cast<double>(uint64_t{1} << 53);
  return std::clamp<uint64_t>(static_cast<uint64_t>(std::exp2(low + part * (high - low))), least, most);
}

inline bool add_for_each_strategy(const char* name, void (*body)(const StrategyEntry&)) {
  for (const StrategyEntry& entry : strategies()) {
    add(std::string(entry.name) + ": " + name, [&entry, body] { body(entry); });
  }
  return true;
}

}  // namespace nautilus::test

// A test of every registered strategy; `entry` is the one at hand.
#define CONFORMANCE(name)                                                                                \
  static void NAUTILUS_JOIN(body_, __LINE__)(const ::nautilus::StrategyEntry& entry);                    \
  static const bool NAUTILUS_JOIN(added_, __LINE__) =                                                    \
      ::nautilus::test::add_for_each_strategy(name, NAUTILUS_JOIN(body_, __LINE__));                     \
  static void NAUTILUS_JOIN(body_, __LINE__)([[maybe_unused]] const ::nautilus::StrategyEntry& entry)
