// A mutex around everything below it, so that threads may share an arena without magazines. It belongs outermost:
// what stands above it is unguarded.
#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "policy/upstream.h"

namespace nautilus {

template <Upstream U>
class ThreadSafe : public PolicyOver<U> {
 public:
  explicit ThreadSafe(U& upstream) noexcept : PolicyOver<U>(upstream) {}

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    const std::lock_guard lock(mutex_);
    return this->upstream().allocate(bytes, alignment);
  }
  FreeOutcome free(uint64_t handle) noexcept {
    const std::lock_guard lock(mutex_);
    return this->upstream().free(handle);
  }
  std::optional<BlockPlace> find(uint64_t handle) const noexcept
    requires KnowsPlaces<U>
  {
    const std::lock_guard lock(mutex_);
    return find_block(this->upstream(), handle);
  }
  std::vector<FreeRange> free_ranges() const
    requires requires(U& u) { u.free_ranges(); }
  {
    const std::lock_guard lock(mutex_);
    return this->upstream().free_ranges();
  }

  // action(upstream) with the mutex held: to read figures below, and to trim, during which no block may begin in a
  // range that was free. The action must not come back to this policy.
  template <typename Action>
  decltype(auto) locked(Action&& action) {
    const std::lock_guard lock(mutex_);
    return std::forward<Action>(action)(this->upstream());
  }

 private:
  mutable std::mutex mutex_;
};

}  // namespace nautilus
