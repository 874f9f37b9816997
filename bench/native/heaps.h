// The arenas and the peers behind one face of two calls, so that one workload is written once. It is a template
// and not a virtual call: an arena is measured as a C++ program has it that names its strategy.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "alloc/arena.h"
#include "alloc/best_fit.h"
#include "alloc/buddy.h"
#include "alloc/first_fit.h"
#include "alloc/slab.h"
#include "alloc/stack.h"
#include "mapping.h"

namespace nautilus::bench {

// allocate() answers a token that free() takes, 0 when nothing fits.
template <Strategy S>
class ArenaHeap {
 public:
  explicit ArenaHeap(Geometry geometry)
      : ledger_(Mapping::shared(ledger_bytes_for(geometry.capacity, geometry.granule))),
        arena_(initialised(ledger_, geometry), geometry) {}

  uint64_t allocate(uint64_t bytes) { return arena_.allocate(bytes, 1); }
  void free(uint64_t token) noexcept { arena_.free(token); }

  ArenaOf<S>& arena() noexcept { return arena_; }
  const Mapping& ledger() const noexcept { return ledger_; }
  // Where the block of this token ends, its rounding included.
  uint64_t end_of(uint64_t token) noexcept {
    const uint32_t slot = arena_.slots().find(token);
    return arena_.slots()[slot].offset + arena_.strategy().room(slot);
  }

 private:
  static LedgerMemory initialised(const Mapping& ledger, Geometry geometry) noexcept {
    const LedgerMemory memory{ledger.base(), ledger.bytes()};
    initialise_ledger(memory, geometry.capacity, geometry.granule, 1);
    return memory;
  }

  Mapping ledger_;
  ArenaOf<S> arena_;
};

// The same arena as a program has it that takes its strategy from the configuration.
class VirtualHeap {
 public:
  explicit VirtualHeap(Arena& arena) noexcept : arena_(&arena) {}
  uint64_t allocate(uint64_t bytes) { return arena_->allocate(bytes, 1); }
  void free(uint64_t token) noexcept { arena_->free(token); }

 private:
  Arena* arena_;
};

// A general-purpose allocator from a shared library.
struct Peer {
  std::string name;
  void* (*allocate_bytes)(size_t) = nullptr;
  void (*free_bytes)(void*) = nullptr;
};

class PeerHeap {
 public:
  explicit PeerHeap(const Peer& peer) noexcept : allocate_(peer.allocate_bytes), free_(peer.free_bytes) {}
  uint64_t allocate(uint64_t bytes) { return reinterpret_cast<uint64_t>(allocate_(bytes)); }
  void free(uint64_t token) noexcept { free_(reinterpret_cast<void*>(token)); }

 private:
  void* (*allocate_)(size_t);
  void (*free_)(void*);
};

// A power of two that is at least so many bytes: what BUDDY likes best, and the others do not mind.
inline uint64_t power_of_two(double bytes) noexcept { return std::bit_ceil(static_cast<uint64_t>(bytes)); }

}  // namespace nautilus::bench
