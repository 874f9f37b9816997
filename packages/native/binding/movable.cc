// Blocks that move. Threads pin them by themselves, in the ledger; what is here is the way when that does not
// succeed at once, and everything that decides where blocks lie.
#include "alloc/movable.h"

#include <algorithm>

#include "binding/arena.h"
#include "binding/functions.h"
#include "binding/values.h"

namespace nautilus {
namespace {

// The movable arena of argument 0, locked as long as this lives. Throws when it is closed or its blocks stay.
class LockedMovable {
 public:
  explicit LockedMovable(const Call& call) : arena_(call) {
    if (!arena_.shared().movable) throw Failure(ErrorCode::kInvalidArgument, "arena: its blocks do not move");
  }

  MovableArena* operator->() const noexcept { return arena_.shared().movable.get(); }

 private:
  LockedArena arena_;
};

}  // namespace

napi_value movable_allocate(const Call& call) {
  LockedMovable arena(call);
  const uint64_t bytes = call.size(1);
  if (bytes == 0) throw call.wrong(1, "at least one byte");
  return to_js(call.env(), arena->allocate(bytes, alignment_at(call, 2)));
}

napi_value movable_free(const Call& call) {
  LockedMovable arena(call);
  return to_js(call.env(), static_cast<int>(arena->free(handle_at(call, 1))));
}

napi_value movable_pin(const Call& call) {
  LockedMovable arena(call);
  return to_js(call.env(), static_cast<int>(arena->pin(handle_at(call, 1)).outcome));
}

napi_value movable_drain(const Call& call) {
  LockedMovable arena(call);
  return to_js(call.env(), arena->drain());
}

napi_value movable_pass(const Call& call) {
  LockedMovable arena(call);
  const PassBudget budget{call.size(1), static_cast<uint32_t>(std::min<uint64_t>(call.size(2), UINT32_MAX))};
  const PassReport report = arena->pass(budget);
  return ObjectBuilder(call.env())
      .set("movedBytes", report.moved_bytes)
      .set("movedBlocks", report.moved_blocks)
      .set("largestFreeGrowthBytes", report.largest_free_growth)
      .set("more", report.more)
      .done();
}

napi_value movable_waiting_blocks(const Call& call) {
  LockedMovable arena(call);
  return to_js(call.env(), arena->limbo_rooms());
}

}  // namespace nautilus
