// What a process that will be killed meant to do and has done, in memory that outlives it. The intent is complete
// before the operation begins and the completion is written after it ended, so exactly the last one is open to doubt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alloc/strategies.h"

namespace nautilus::kill {

enum class Kind : uint32_t {
  kAllocate,  // length; when done: handle (0: nothing fitted) and offset
  kEnd,       // handle; by the arena or, the way JavaScript does it, by storing the slot's word
  kPublish,   // handle, offset, length: a reserved room, the way JavaScript does it
  kRewind,    // handle: the mark
  kSilent,    // changes nothing that is published: reserve, give back, detach, recover
};

struct Operation {
  Kind kind;
  uint32_t is_done;
  uint64_t handle;
  uint64_t offset;
  uint64_t length;
};

struct Journal {
  static constexpr uint32_t kMost = 16384;
  uint32_t started;  // the process is about to touch the ledger
  uint32_t failed;   // an operation answered what cannot be, on this line
  uint32_t count;
  uint32_t reserved;
  Operation operations[kMost];

  void clear() noexcept {
    started = failed = count = 0;
  }
  bool is_full() const noexcept { return count == kMost; }
  Operation& begin(Kind kind, uint64_t handle, uint64_t offset, uint64_t length) noexcept {
    Operation& operation = operations[count];
    operation = {kind, 0, handle, offset, length};
    store_release(count, count + 1);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return operation;
  }
  static void finish(Operation& operation) noexcept { store_release(operation.is_done, uint32_t{1}); }
};

struct Place {
  uint64_t offset;
  uint64_t length;
  bool operator==(const Place&) const = default;
};

// By handle, what is published; and every handle that no longer names anything.
struct Model {
  std::map<uint64_t, Place> live;
  std::vector<uint64_t> stale;
};

struct Verdict {
  uint64_t corrupt = 0;
  uint64_t lost = 0;
  uint64_t leaked = 0;
  uint64_t recover_nanoseconds = 0;
  std::string what;  // of the first thing that was wrong

  bool is_clean() const noexcept { return corrupt + lost + leaked == 0; }
};

// Recovers the ledger, which is changed by it, and compares with `model` and what the journal adds to it; then works
// on in the recovered arena and frees everything. `model` becomes what was published at the kill.
Verdict check(const StrategyEntry& strategy, const LedgerMemory& ledger, const Journal& journal, Model& model,
              uint64_t seed);

// Allocates, frees, reserves, publishes and gives back at random until the journal is full.
void work(Arena& arena, const LedgerMemory& ledger, Journal& journal, uint64_t seed, uint32_t most_operations);

}  // namespace nautilus::kill
