// Arenas as opaque handles. The frequent calls take and return plain numbers; what fails often (nothing fits, a
// stale handle) is a number as well, because building an error costs more than the call.
#include "alloc/arena.h"

#include <atomic>
#include <bit>
#include <random>

#include "alloc/strategies.h"
#include "binding/functions.h"
#include "binding/mapping.h"
#include "binding/values.h"

namespace nautilus {
namespace {

// Tells the arenas of this process apart; starts anywhere, so that handles of an earlier run are foreign too.
uint8_t next_tag() {
  static std::atomic<uint32_t> tags{std::random_device{}()};
  return static_cast<uint8_t>(tags.fetch_add(1, std::memory_order_relaxed));
}

struct ArenaHandle {
  static constexpr const char kKind[] = "an arena";

  ArenaHandle(std::unique_ptr<Strategy> strategy, uint64_t granule, std::shared_ptr<MappedRegion> ledger)
      : ledger_(std::move(ledger)),
        arena(std::move(strategy), granule, next_tag(), ledger_ ? ledger_->base() : nullptr) {
    if (ledger_) ledger_->pin();
  }
  ~ArenaHandle() {
    if (ledger_) ledger_->unpin();
  }
  ArenaHandle(const ArenaHandle&) = delete;
  ArenaHandle& operator=(const ArenaHandle&) = delete;

 private:
  std::shared_ptr<MappedRegion> ledger_;

 public:
  Arena arena;
};

Arena& arena_of(const Call& call) {
  const std::shared_ptr<ArenaHandle>& handle = call.object<ArenaHandle>(0);
  if (!handle) throw Failure(ErrorCode::kClosed, "arena: already closed");
  return handle->arena;
}

// A handle that is no whole number names no block.
const Block* find_block(const Call& call, const Arena& arena) {
  const double handle = call.number(1);
  if (!(handle >= 0) || handle > 9007199254740991.0) return nullptr;
  const auto whole = static_cast<uint64_t>(handle);
  return static_cast<double>(whole) == handle ? arena.find(whole) : nullptr;
}

StackOrder& stack_order_of(Arena& arena) {
  StackOrder* order = arena.stack_order();
  if (order == nullptr) throw Failure(ErrorCode::kUnsupported, "marks: only the stack strategy has an order");
  return *order;
}

}  // namespace

napi_value arena_strategies(const Call& call) {
  ArrayBuilder entries(call.env());
  for (const StrategyEntry& entry : strategies()) {
    entries.add(ObjectBuilder(call.env()).set("name", entry.name).set("summary", entry.summary).done());
  }
  return entries.done();
}

napi_value arena_create(const Call& call) {
  const std::string name = call.text(0);
  const StrategyEntry* entry = find_strategy(name);
  if (entry == nullptr) throw Failure(ErrorCode::kInvalidArgument, "strategy: none is named '" + name + "'");
  const uint64_t bytes = call.size(1);
  const uint64_t granule = call.size(2);
  if (!std::has_single_bit(granule) || granule > Arena::kMaxAlignment) throw call.wrong(2, "a power of two up to 65536");
  const uint64_t capacity = bytes / granule * granule;
  if (capacity == 0) {
    throw Failure(ErrorCode::kInvalidArgument, "bytes: " + std::to_string(bytes) +
                                                   " hold no block at a minimum alignment of " + std::to_string(granule));
  }
  std::shared_ptr<MappedRegion> ledger;
  if (!call.is_null(3)) {
    const Mapping& mapping = *call.object<Mapping>(3);
    if (!mapping.open().is_writable() || mapping.open().bytes() < kLedgerBytes) {
      throw Failure(ErrorCode::kInvalidArgument, "ledger: needs a read-write mapping of at least " +
                                                     std::to_string(kLedgerBytes) + " bytes");
    }
    ledger = mapping.region;
  }
  auto handle = std::make_shared<ArenaHandle>(entry->make(capacity, granule), granule, ledger);
  if (ledger) initialise_ledger(ledger->base(), bytes);
  return wrap(call.env(), std::move(handle));
}

napi_value arena_allocate(const Call& call) {
  Arena& arena = arena_of(call);
  const uint64_t bytes = call.size(1);
  const uint64_t alignment = call.size(2);
  if (bytes == 0) throw call.wrong(1, "at least one byte");
  if (!std::has_single_bit(alignment) || alignment > Arena::kMaxAlignment) throw call.wrong(2, "a power of two up to 65536");
  return to_js(call.env(), arena.allocate(bytes, alignment));
}

napi_value arena_allocate_at(const Call& call) {
  Arena& arena = arena_of(call);
  const uint64_t offset = call.size(1);
  const uint64_t bytes = call.size(2);
  if (!arena.can_place_at()) {
    throw Failure(ErrorCode::kUnsupported, "allocateAt: only the first_fit strategy takes a given offset");
  }
  if (bytes == 0) throw call.wrong(2, "at least one byte");
  if (offset % arena.granule() != 0) {
    throw Failure(ErrorCode::kInvalidArgument, "offset: expected a multiple of " + std::to_string(arena.granule()) +
                                                   ", found " + std::to_string(offset));
  }
  return to_js(call.env(), arena.allocate_at(offset, bytes));
}

napi_value arena_offset_of(const Call& call) {
  const Block* block = find_block(call, arena_of(call));
  return to_js(call.env(), block == nullptr ? -1.0 : static_cast<double>(block->placement.offset));
}

napi_value arena_length_of(const Call& call) {
  const Block* block = find_block(call, arena_of(call));
  return to_js(call.env(), block == nullptr ? -1.0 : static_cast<double>(block->length));
}

napi_value arena_free(const Call& call) {
  Arena& arena = arena_of(call);
  if (find_block(call, arena) == nullptr) return to_js(call.env(), static_cast<int>(FreeOutcome::kUnknownBlock));
  return to_js(call.env(), static_cast<int>(arena.free(static_cast<uint64_t>(call.number(1)))));
}

napi_value arena_mark(const Call& call) { return to_js(call.env(), stack_order_of(arena_of(call)).mark()); }

napi_value arena_rewind(const Call& call) {
  Arena& arena = arena_of(call);
  stack_order_of(arena);
  return to_js(call.env(), static_cast<int>(arena.rewind(call.size(1))));
}

napi_value arena_stats(const Call& call) {
  const Arena& arena = arena_of(call);
  const ArenaFigures& figures = arena.figures();
  return ObjectBuilder(call.env())
      .set("liveBlocks", figures.live_blocks)
      .set("liveBytes", figures.live_bytes)
      .set("freeBytes", arena.free_bytes())
      .set("largestFreeBytes", arena.largest_free_bytes())
      .set("highWaterBytes", figures.high_water_bytes)
      .set("allocations", figures.allocations)
      .set("frees", figures.frees)
      .set("failures", figures.failures)
      .done();
}

napi_value arena_close(const Call& call) {
  call.object<ArenaHandle>(0).reset();
  return undefined_js();
}

}  // namespace nautilus
