// Arenas as opaque handles. One arena may be used by several threads of a process: each has a handle of its own,
// and with it the number under which its magazines are counted in the ledger.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "alloc/arena.h"
#include "alloc/movable.h"
#include "binding/call.h"
#include "segment/mapped_region.h"

namespace nautilus {

// What the handles of all threads share. Every call on the arena holds the lock.
struct SharedArena {
  // The payload is null unless blocks are to move.
  SharedArena(std::unique_ptr<Arena> made, std::shared_ptr<MappedRegion> mapped, uint64_t segment_bytes,
              std::shared_ptr<MappedRegion> mapped_payload);
  ~SharedArena();
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  LedgerHeader& header() const noexcept { return *reinterpret_cast<LedgerHeader*>(ledger->base()); }

  std::mutex lock;
  std::atomic<uint32_t> handles{0};  // one for each thread that has the arena
  std::shared_ptr<MappedRegion> ledger;
  std::shared_ptr<MappedRegion> payload;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<MovableArena> movable;  // null when blocks stay where they are
  uint64_t bytes;
};

struct ArenaHandle {
  static constexpr const char kKind[] = "an arena";

  explicit ArenaHandle(std::shared_ptr<SharedArena> shared_arena) : shared(std::move(shared_arena)) {
    ++shared->handles;
  }
  ~ArenaHandle();
  ArenaHandle(const ArenaHandle&) = delete;
  ArenaHandle& operator=(const ArenaHandle&) = delete;

  std::shared_ptr<SharedArena> shared;
  uint32_t owner = 0;  // of magazines; 0 when this thread has none
};

// A number that cannot be a handle names no block: it becomes 0, which no arena gives out.
uint64_t handle_at(const Call& call, size_t at);
// A power of two up to Arena::kMaxAlignment.
uint64_t alignment_at(const Call& call, size_t at);

// The arena of argument 0, locked as long as this lives. Throws when it is closed.
class LockedArena {
 public:
  explicit LockedArena(const Call& call);

  Arena* operator->() const noexcept { return shared_->arena.get(); }
  Arena& operator*() const noexcept { return *shared_->arena; }
  SharedArena& shared() const noexcept { return *shared_; }
  ArenaHandle& handle() const noexcept { return *handle_; }

 private:
  std::shared_ptr<ArenaHandle> handle_;
  std::shared_ptr<SharedArena> shared_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace nautilus
