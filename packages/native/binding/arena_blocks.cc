// Blocks of an arena. The frequent calls take and return plain numbers; what fails often (nothing fits, a stale
// handle) is a number as well, because building an error costs more than the call.
#include <bit>
#include <cmath>

#include "binding/arena.h"
#include "binding/functions.h"
#include "binding/values.h"

namespace nautilus {
namespace {

constexpr uint64_t kNoHandle = 0;

uint64_t handle_from(double number) noexcept {
  if (!(number >= 0) || number > static_cast<double>(kMaxSafeInteger)) return kNoHandle;
  const auto whole = static_cast<uint64_t>(number);
  return static_cast<double>(whole) == number ? whole : kNoHandle;
}

bool is_size(double number) noexcept {
  return number >= 1 && number <= static_cast<double>(kMaxSafeInteger) && std::floor(number) == number;
}

void require_order(const Arena& arena) {
  if (arena.is_ordered()) return;
  throw Failure(ErrorCode::kUnsupported, "marks: only the stack strategy has an order");
}

}  // namespace

uint64_t handle_at(const Call& call, size_t at) { return handle_from(call.number(at)); }

uint64_t alignment_at(const Call& call, size_t at) {
  const uint64_t alignment = call.size(at);
  if (!std::has_single_bit(alignment) || alignment > Arena::kMaxAlignment) throw call.wrong(at, "a power of two up to 65536");
  return alignment;
}

napi_value arena_allocate(const Call& call) {
  LockedArena arena(call);
  const uint64_t bytes = call.size(1);
  if (bytes == 0) throw call.wrong(1, "at least one byte");
  return to_js(call.env(), arena->allocate(bytes, alignment_at(call, 2)));
}

napi_value arena_allocate_again(const Call& call) {
  LockedArena arena(call);
  uint64_t& failures = arena.shared().header().failures;
  if (failures > 0) store_relaxed(failures, failures - 1);
  const uint64_t bytes = call.size(1);
  if (bytes == 0) throw call.wrong(1, "at least one byte");
  return to_js(call.env(), arena->allocate(bytes, alignment_at(call, 2)));
}

napi_value arena_allocate_at(const Call& call) {
  LockedArena arena(call);
  const uint64_t offset = call.size(1);
  const uint64_t bytes = call.size(2);
  if (!arena->can_place_at()) {
    throw Failure(ErrorCode::kUnsupported, "allocateAt: only first_fit and best_fit take a given offset");
  }
  if (bytes == 0) throw call.wrong(2, "at least one byte");
  if (offset % arena->granule() != 0) {
    throw Failure(ErrorCode::kInvalidArgument, "offset: expected a multiple of " + std::to_string(arena->granule()) +
                                                   ", found " + std::to_string(offset));
  }
  return to_js(call.env(), arena->allocate_at(offset, bytes));
}

napi_value arena_free(const Call& call) {
  LockedArena arena(call);
  return to_js(call.env(), static_cast<int>(arena->free(handle_at(call, 1))));
}

// Fills `handles` for as many of `sizes` as fit, in order. Answers their number.
napi_value arena_allocate_many(const Call& call) {
  LockedArena arena(call);
  const std::span<const double> sizes = call.doubles(1);
  const uint64_t alignment = alignment_at(call, 2);
  const std::span<double> handles = call.doubles(3);
  if (handles.size() < sizes.size()) throw call.wrong(3, "room for one handle a size");
  size_t done = 0;
  for (; done < sizes.size(); ++done) {
    // Read once: the array may be another thread's too.
    const double size = sizes[done];
    if (!is_size(size)) {
      for (size_t at = 0; at < done; ++at) arena->free(handle_from(handles[at]));
      throw Failure(ErrorCode::kInvalidArgument, "sizes[" + std::to_string(done) + "]: expected a whole number of bytes, found " +
                                                     std::to_string(size));
    }
    const uint64_t handle = arena->allocate(static_cast<uint64_t>(size), alignment);
    if (handle == kNoHandle) break;
    handles[done] = static_cast<double>(handle);
  }
  return to_js(call.env(), done);
}

// Up to the first that cannot be freed. Answers the number that were.
napi_value arena_free_many(const Call& call) {
  LockedArena arena(call);
  size_t done = 0;
  for (const double number : call.doubles(1)) {
    if (arena->free(handle_from(number)) != FreeOutcome::kFreed) break;
    ++done;
  }
  return to_js(call.env(), done);
}

napi_value arena_mark(const Call& call) {
  LockedArena arena(call);
  require_order(*arena);
  return to_js(call.env(), arena->mark());
}

napi_value arena_rewind(const Call& call) {
  LockedArena arena(call);
  require_order(*arena);
  return to_js(call.env(), static_cast<int>(arena->rewind(call.size(1))));
}

napi_value arena_free_bytes(const Call& call) {
  LockedArena arena(call);
  return to_js(call.env(), arena->free_bytes());
}

napi_value arena_largest_free_bytes(const Call& call) {
  LockedArena arena(call);
  return to_js(call.env(), arena->largest_free_bytes());
}

// Starts and ends in turn, by rising offset.
napi_value arena_free_ranges(const Call& call) {
  LockedArena arena(call);
  ArrayBuilder ranges(call.env());
  for (const FreeRange& range : arena->free_ranges()) ranges.add(range.start).add(range.end);
  return ranges.done();
}

// Answers the number under which this thread's magazines are known, from 1; 0 when all are taken.
napi_value arena_open_magazines(const Call& call) {
  LockedArena arena(call);
  ArenaHandle& handle = arena.handle();
  LedgerHeader& header = arena.shared().header();
  for (uint32_t at = 0; handle.owner == 0 && at < kMaxAttachments; ++at) {
    if (header.attachments[at].in_use != 0) continue;
    header.attachments[at] = Attachment{};
    header.attachments[at].in_use = 1;
    store_relaxed(header.attachments_used, std::max(header.attachments_used, at + 1));
    handle.owner = at + 1;
  }
  return to_js(call.env(), handle.owner);
}

// Fills `slots` with rooms of one class. Answers their number.
napi_value arena_reserve(const Call& call) {
  LockedArena arena(call);
  const uint64_t size_class = call.size(1);
  if (size_class >= kSizeClasses) throw call.wrong(1, "a size class");
  if (arena.handle().owner == 0) throw Failure(ErrorCode::kUnsupported, "magazines: not opened");
  const std::span<uint32_t> slots = call.words(2);
  const uint64_t count = std::min<uint64_t>(call.size(3), slots.size());
  return to_js(call.env(),
               arena->reserve(arena.handle().owner, static_cast<uint32_t>(size_class), slots.first(count)));
}

napi_value arena_give_back(const Call& call) {
  LockedArena arena(call);
  const std::span<uint32_t> slots = call.words(1);
  const uint64_t from = std::min<uint64_t>(call.size(2), slots.size());
  const uint64_t count = std::min<uint64_t>(call.size(3), slots.size() - from);
  arena->give_back(arena.handle().owner, slots.subspan(from, count));
  return undefined_js();
}

// Asks the magazines of all threads to give back what they hold; each does so at its own next step.
napi_value arena_ask_flush(const Call& call) {
  LockedArena arena(call);
  add_32(arena.shared().header().flush_epoch);
  return undefined_js();
}

}  // namespace nautilus
