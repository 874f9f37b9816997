// An arena whose blocks move behind their handles, so that free room that is scattered becomes room that is usable.
// It works on a FIRST_FIT or BEST_FIT arena and on the payload; whoever makes a movable pool calls this instead of
// the arena, under the arena's lock. Threads that hold blocks in place do so beside it: pins.h.
#pragma once

#include <memory>

#include "alloc/arena.h"
#include "alloc/pins.h"

namespace nautilus {

struct PassBudget {
  uint64_t max_bytes = 1024 * 1024;  // copied within 1 ms where memory copies 1 GB/s
  uint32_t max_moves = 128;
};

struct PassReport {
  uint64_t moved_bytes = 0;
  uint64_t moved_blocks = 0;          // that arrived
  uint64_t largest_free_growth = 0;   // bytes by which the largest free range is larger than before
  bool more = false;                  // false: a whole round found nothing that can move
};

class MovableArena {
 public:
  virtual ~MovableArena() = default;

  // As Arena::allocate, and moves what must move to make room. Zones are what pins leave between them. It answers 0
  // only when a reader is inside an epoch (waits_for_readers() says so), no slot is left, or both hold: in every
  // zone fewer bytes are free than the request rounded to granules plus what alignments of the zone's blocks and of
  // the request may cost (alignment - granule each); and blocks that could leave a zone find no place in others.
  virtual uint64_t allocate(uint64_t bytes, uint64_t alignment) = 0;
  // The handle ends at once. Memory that is pinned, or that a reader may have found, waits for them in limbo.
  virtual FreeOutcome free(uint64_t handle) noexcept = 0;

  // As try_pin and try_resolve, for whoever was told kOnTheMove: settles the block's move first.
  virtual Held pin(uint64_t handle) noexcept = 0;
  virtual Held resolve(uint64_t handle) noexcept = 0;
  // Also ends the limbo of what nobody holds any more.
  virtual bool unpin(uint64_t handle) noexcept = 0;

  // One step towards all free memory in one range: blocks go to lower addresses, in their order. A block that is
  // larger than the budget moves over several passes. May throw std::bad_alloc, between two moves.
  virtual PassReport pass(PassBudget budget) = 0;
  // Rooms in limbo that nobody holds any more serve again. Answers how many.
  virtual uint64_t drain() noexcept = 0;

  // A reader is inside an epoch: no block may slide over its own old place, and what moves leaves limbo behind.
  virtual bool waits_for_readers() const noexcept = 0;
  virtual uint64_t limbo_rooms() const noexcept = 0;
};

// Null when the arena's strategy does not move blocks. Ledger and payload are the arena's; all three outlive it.
std::unique_ptr<MovableArena> make_movable(Arena& arena, const LedgerMemory& ledger, std::byte* payload);

}  // namespace nautilus
