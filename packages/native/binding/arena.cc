// Life of arenas: made, recovered, found by other threads under a number, closed.
#include "binding/arena.h"

#include <atomic>
#include <bit>
#include <map>
#include <random>

#include "alloc/move_journal.h"
#include "alloc/strategies.h"
#include "binding/functions.h"
#include "binding/mapping.h"
#include "binding/values.h"
#include "os/process_identity.h"
#include "segment/segment.h"
#include "segment/trim.h"

namespace nautilus {
namespace {

// Tells the arenas of this process apart; starts anywhere, so that handles of an earlier run are foreign too.
uint8_t next_tag() {
  static std::atomic<uint32_t> tags{std::random_device{}()};
  return static_cast<uint8_t>(tags.fetch_add(1, std::memory_order_relaxed));
}

uint64_t random_number() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

// Arenas that other threads may find. All copies of this code in a process that were loaded from one file share it.
class SharedArenas {
 public:
  static SharedArenas& instance() {
    static SharedArenas arenas;
    return arenas;
  }
  uint32_t add(const std::shared_ptr<SharedArena>& arena) {
    const std::lock_guard guard(lock_);
    std::erase_if(arenas_, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [number, known] : arenas_) {
      if (known.lock() == arena) return number;
    }
    arenas_.emplace(++last_, arena);
    return last_;
  }
  std::shared_ptr<SharedArena> find(uint64_t number) {
    const std::lock_guard guard(lock_);
    const auto found = arenas_.find(static_cast<uint32_t>(number));
    return found == arenas_.end() || found->first != number ? nullptr : found->second.lock();
  }

 private:
  std::mutex lock_;
  std::map<uint32_t, std::weak_ptr<SharedArena>> arenas_;
  uint32_t last_ = 0;
};

std::shared_ptr<MappedRegion> ledger_of(const Call& call, size_t at, uint64_t needed_bytes) {
  const Mapping& mapping = *call.object<Mapping>(at);
  if (!mapping.open().is_writable() || mapping.open().bytes() < needed_bytes) {
    throw Failure(ErrorCode::kInvalidArgument,
                  "ledger: needs a read-write mapping of at least " + std::to_string(needed_bytes) + " bytes");
  }
  return mapping.region;
}

// Null for an arena whose blocks stay where they are.
std::shared_ptr<MappedRegion> payload_of(const Call& call, size_t at, uint64_t needed_bytes) {
  if (call.is_null(at)) return nullptr;
  const Mapping& mapping = *call.object<Mapping>(at);
  if (!mapping.open().is_writable() || mapping.open().bytes() < needed_bytes) {
    throw Failure(ErrorCode::kInvalidArgument,
                  "payload: needs a read-write mapping of at least " + std::to_string(needed_bytes) + " bytes");
  }
  return mapping.region;
}

// One process writes a ledger, through one arena: what two of them wrote would be no truth.
void claim(LedgerHeader& header) {
  const std::string owner = "process " + std::to_string(header.owner.process);
  switch (claim_ledger(header, own_identity())) {
    case ClaimOutcome::kClaimed:
    case ClaimOutcome::kClaimedOfDead: return;
    case ClaimOutcome::kHeld: throw Failure(ErrorCode::kAddressInUse, "ledger: belongs to " + owner + ", which lives");
    case ClaimOutcome::kHeldByCopy:
      throw Failure(ErrorCode::kAddressInUse, "ledger: belongs to this process, through another copy of the addon");
    case ClaimOutcome::kHeldAlready:
      throw Failure(ErrorCode::kAddressInUse, "ledger: an arena of this process has it; share that one");
    case ClaimOutcome::kUnknownOwner:
      throw Failure(ErrorCode::kAddressInUse,
                    "ledger: belongs to " + owner + " of another namespace, whose end cannot be seen from here");
  }
}

// Unless an arena has taken it over, gives the claim back: to the dead owner, whose ledger is still to be recovered.
struct Claim {
  explicit Claim(LedgerHeader& claimed) : header(&claimed), former(claimed.owner) { claim(claimed); }
  ~Claim() {
    if (header == nullptr) return;
    if (former.process == 0) {
      release_ledger(*header, own_identity());
    } else {
      header->owner = former;
    }
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  LedgerHeader* header;
  OwnerRecord former;
};

void recover(Arena& arena) {
  if (arena.recover()) return;
  throw Failure(ErrorCode::kInvalidArgument, "ledger: contradicts itself, so nothing in it can be trusted");
}

// A killed owner may have left a block in two pieces, which only its payload can make whole.
void finish_move(const LedgerMemory& ledger, MappedRegion* payload) {
  if (payload == nullptr) {
    if (ledger.header().move.active == 0) return;
    throw Failure(ErrorCode::kInvalidArgument,
                  "ledger: its owner was killed while a block moved; recover it as a movable arena");
  }
  if (geometry_of(ledger) && finish_interrupted_move(ledger, payload->base())) return;
  throw Failure(ErrorCode::kInvalidArgument, "ledger: contradicts itself, so nothing in it can be trusted");
}

void require_ledger_of(const LedgerHeader& header, Geometry geometry, uint64_t bytes) {
  const auto granule_log2 = static_cast<uint32_t>(std::countr_zero(geometry.granule));
  if (header.magic == kLedgerMagic && header.version == kLedgerVersion && header.segment_bytes == bytes &&
      header.granule_log2 == granule_log2) {
    return;
  }
  throw Failure(ErrorCode::kInvalidArgument, "ledger: is none of a segment of " + std::to_string(bytes) +
                                                 " bytes at a minimum alignment of " + std::to_string(geometry.granule));
}

}  // namespace

SharedArena::SharedArena(std::unique_ptr<Arena> made, std::shared_ptr<MappedRegion> mapped, uint64_t segment_bytes,
                         std::shared_ptr<MappedRegion> mapped_payload)
    : ledger(std::move(mapped)), payload(std::move(mapped_payload)), arena(std::move(made)), bytes(segment_bytes) {
  if (payload) {
    movable = make_movable(*arena, {ledger->base(), ledger->bytes()}, payload->base());
    if (!movable) throw Failure(ErrorCode::kUnsupported, "strategy: only first_fit and best_fit move blocks");
    payload->pin();
  }
  ledger->pin();
}

SharedArena::~SharedArena() {
  // No block stays in two pieces: this ends the move that is under way, and begins none.
  if (movable) movable->pass({UINT64_MAX, 0});
  movable.reset();
  arena.reset();
  release_ledger(header(), own_identity());
  ledger->unpin();
  if (payload) payload->unpin();
}

// What a thread's magazines held is free again, however the thread ended.
ArenaHandle::~ArenaHandle() {
  --shared->handles;
  if (owner == 0) return;
  const std::lock_guard guard(shared->lock);
  shared->arena->detach(owner);
}

LockedArena::LockedArena(const Call& call) : handle_(call.object<ArenaHandle>(0)) {
  if (!handle_) throw Failure(ErrorCode::kClosed, "arena: already closed");
  shared_ = handle_->shared;
  lock_ = std::unique_lock(shared_->lock);
}

napi_value arena_strategies(const Call& call) {
  ArrayBuilder entries(call.env());
  for (const StrategyEntry& entry : strategies()) {
    entries.add(ObjectBuilder(call.env()).set("name", entry.name).set("summary", entry.summary).done());
  }
  return entries.done();
}

napi_value ledger_bytes_for(const Call& call) {
  const uint64_t granule = call.size(1);
  if (!std::has_single_bit(granule)) throw call.wrong(1, "a power of two");
  return to_js(call.env(), ledger_bytes_for(call.size(0), granule));
}

napi_value arena_create(const Call& call) {
  const std::string name = call.text(0);
  const StrategyEntry* entry = find_strategy(name);
  if (entry == nullptr) throw Failure(ErrorCode::kInvalidArgument, "strategy: none is named '" + name + "'");
  const uint64_t bytes = call.size(1);
  const uint64_t granule = call.size(2);
  const bool is_recovery = call.boolean(4);
  if (!std::has_single_bit(granule) || granule > Arena::kMaxAlignment) throw call.wrong(2, "a power of two up to 65536");
  const Geometry geometry{bytes / granule * granule, granule};
  if (geometry.capacity == 0) {
    throw Failure(ErrorCode::kInvalidArgument, "bytes: " + std::to_string(bytes) +
                                                   " hold no block at a minimum alignment of " + std::to_string(granule));
  }
  if (geometry.capacity / granule >= UINT32_MAX) {
    throw Failure(ErrorCode::kTooLarge, "bytes: " + std::to_string(bytes) + " are 2^32 or more times the minimum alignment " +
                                            std::to_string(granule) + "; choose a larger minimum alignment");
  }
  std::shared_ptr<MappedRegion> ledger = ledger_of(call, 3, ledger_bytes_for(bytes, granule));
  std::shared_ptr<MappedRegion> payload = payload_of(call, 5, bytes);
  const LedgerMemory memory{ledger->base(), ledger->bytes()};
  if (is_recovery) require_ledger_of(memory.header(), geometry, bytes);
  Claim claimed(memory.header());
  // Once more: until the claim another process might have begun anew in it.
  if (is_recovery) require_ledger_of(memory.header(), geometry, bytes);
  if (is_recovery) finish_move(memory, payload.get());
  if (!is_recovery) initialise_ledger(memory, bytes, granule, next_tag());
  store_relaxed(memory.header().arena, random_number());
  std::unique_ptr<Arena> arena = entry->make(memory, geometry);
  if (is_recovery) recover(*arena);
  auto shared = std::make_shared<SharedArena>(std::move(arena), std::move(ledger), bytes, std::move(payload));
  claimed.header = nullptr;
  return wrap(call.env(), std::make_shared<ArenaHandle>(std::move(shared)));
}

napi_value arena_left_out_blocks(const Call& call) {
  LockedArena arena(call);
  return to_js(call.env(), arena->left_out());
}

napi_value arena_threads(const Call& call) {
  LockedArena arena(call);
  return to_js(call.env(), arena.shared().handles.load());
}

// From here on other threads may end blocks at any moment, so that is told before anyone else can know the number.
napi_value arena_share(const Call& call) {
  LockedArena arena(call);
  arena->set_contended(true);
  store_release(arena.shared().header().contended, uint32_t{1});
  return to_js(call.env(), SharedArenas::instance().add(arena.handle().shared));
}

napi_value arena_attach(const Call& call) {
  std::shared_ptr<SharedArena> shared = SharedArenas::instance().find(call.size(0));
  if (!shared) throw Failure(ErrorCode::kClosed, "arena: closed by all who shared it, or never shared in this process");
  const std::shared_ptr<MappedRegion> ledger = ledger_of(call, 1, kLedgerHeaderBytes);
  const auto& header = *reinterpret_cast<const LedgerHeader*>(ledger->base());
  if (header.magic != kLedgerMagic || header.arena != shared->header().arena) {
    throw Failure(ErrorCode::kInvalidArgument, "ledger: belongs to another arena");
  }
  // Whoever takes blocks that move for blocks that stay would use places that are over.
  if ((payload_of(call, 2, shared->bytes) != nullptr) != (shared->movable != nullptr)) {
    throw Failure(ErrorCode::kInvalidArgument, shared->movable ? "arena: its blocks move, so attach it as a movable one"
                                                               : "arena: its blocks do not move");
  }
  return wrap(call.env(), std::make_shared<ArenaHandle>(std::move(shared)));
}

// Whole free pages of the segment go back to the system; under the lock, so no block begins there meanwhile.
napi_value arena_trim(const Call& call) {
  LockedArena arena(call);
  const MappedRegion& payload = call.object<Mapping>(1)->open();
  if (!payload.is_writable() || payload.bytes() < arena.shared().bytes) {
    throw Failure(ErrorCode::kInvalidArgument, "payload: needs a read-write mapping of the arena's segment");
  }
  const PageRelease release{payload.base(), call.fd(2), true};
  const TrimOutcome outcome = trim(*arena, page_bytes(), call.size(3), [&](std::span<const PageRange> ranges) {
    return release_pages(release, ranges);
  });
  return ObjectBuilder(call.env())
      .set("askedBytes", outcome.asked_bytes)
      .set("releasedBytes", outcome.released_bytes)
      .set("reason", outcome.reason)
      .done();
}

napi_value arena_close(const Call& call) {
  call.object<ArenaHandle>(0).reset();
  return undefined_js();
}

}  // namespace nautilus
