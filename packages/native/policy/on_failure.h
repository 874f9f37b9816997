// A second chance when nothing fits: a callback may free, trim or compact, and says whether to ask again. Attempts
// are bounded, so a callback that never helps cannot hang its caller.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "policy/upstream.h"

namespace nautilus {

// callback(bytes, alignment, attempt) with attempt from 1: true to ask upstream again. It may free through any policy
// of the stack, but allocate only through those below; what it throws reaches the caller. A std::bad_alloc of upstream
// is no lack of room in the segment and passes it by.
template <Upstream U, std::predicate<uint64_t, uint64_t, uint32_t> Callback>
class OnFailure : public PolicyOver<U> {
 public:
  OnFailure(U& upstream, Callback callback, uint32_t max_attempts = 8)
      : PolicyOver<U>(upstream), callback_(std::move(callback)), max_attempts_(max_attempts) {}

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    uint64_t handle = this->upstream().allocate(bytes, alignment);
    for (uint32_t attempt = 1; handle == 0 && attempt <= max_attempts_; ++attempt) {
      if (!callback_(bytes, alignment, attempt)) return 0;
      handle = this->upstream().allocate(bytes, alignment);
    }
    return handle;
  }

  FreeOutcome free(uint64_t handle) noexcept { return this->upstream().free(handle); }

 private:
  Callback callback_;
  uint32_t max_attempts_;
};

}  // namespace nautilus
