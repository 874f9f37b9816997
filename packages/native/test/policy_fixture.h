// What the tests of policies stand on: an arena with a ledger and a payload of its own, and the least that may be
// called an upstream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "alloc/arena.h"

namespace nautilus::test {

constexpr uint64_t kGranule = 64;

template <Strategy S>
class Ground {
 public:
  explicit Ground(uint64_t capacity)
      : ledger_(make_ledger(capacity)), payload(capacity), arena(memory(capacity), {capacity, kGranule}) {}

 private:
  struct Release {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Release>;

  static Memory make_ledger(uint64_t capacity) {
    const uint64_t bytes = ledger_bytes_for(capacity, kGranule);
    Memory ledger(static_cast<std::byte*>(std::aligned_alloc(4096, bytes)));
    std::memset(ledger.get(), 0, bytes);
    initialise_ledger({ledger.get(), bytes}, capacity, kGranule, 5);
    return ledger;
  }
  LedgerMemory memory(uint64_t capacity) const { return {ledger_.get(), ledger_bytes_for(capacity, kGranule)}; }

  Memory ledger_;

 public:
  std::vector<std::byte> payload;
  ArenaOf<S> arena;
};

// Allocates and frees and knows nothing else.
class BareUpstream {
 public:
  uint64_t room = UINT64_MAX;

  uint64_t allocate(uint64_t bytes, uint64_t) {
    if (bytes > room) return 0;
    live_[++newest_] = bytes;
    room -= bytes;
    return newest_;
  }
  FreeOutcome free(uint64_t handle) noexcept {
    const auto found = live_.find(handle);
    if (found == live_.end()) return FreeOutcome::kUnknownBlock;
    room += found->second;
    live_.erase(found);
    return FreeOutcome::kFreed;
  }
  size_t live_blocks() const { return live_.size(); }

 private:
  uint64_t newest_ = 0;
  std::map<uint64_t, uint64_t> live_;
};

}  // namespace nautilus::test
