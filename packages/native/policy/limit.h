// A hard cap on what may be live at once, for a part of a program that must not take a whole segment. Bytes are as
// asked for: rounding belongs to the strategy and differs between them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "policy/upstream.h"

namespace nautilus {

struct LiveFigures {
  uint64_t bytes = 0;
  uint64_t blocks = 0;
};

struct Limits {
  uint64_t live_bytes = UINT64_MAX;
  uint64_t live_blocks = UINT64_MAX;
};

struct Refusal {
  enum class Kind { kBytes, kBlocks };
  Kind kind = Kind::kBytes;
  uint64_t limit = 0;
  uint64_t found = 0;  // live when it was asked
  uint64_t asked = 0;  // bytes, or 1 block
};

template <Upstream U>
class Limit : public PolicyOver<U> {
 public:
  // `already_live`: blocks that upstream holds from before, for instance after recovery.
  Limit(U& upstream, Limits limits, LiveFigures already_live = {}) noexcept
      : PolicyOver<U>(upstream), limits_(limits), live_(already_live) {}

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    if (live_.bytes > limits_.live_bytes || bytes > limits_.live_bytes - live_.bytes) {
      return refuse({Refusal::Kind::kBytes, limits_.live_bytes, live_.bytes, bytes});
    }
    if (live_.blocks >= limits_.live_blocks) {
      return refuse({Refusal::Kind::kBlocks, limits_.live_blocks, live_.blocks, 1});
    }
    lengths_.reserve();
    const uint64_t handle = this->upstream().allocate(bytes, alignment);
    if (handle == 0) return 0;
    lengths_.add(handle, bytes);
    live_.bytes += bytes;
    ++live_.blocks;
    return handle;
  }

  FreeOutcome free(uint64_t handle) noexcept {
    const uint64_t bytes = lengths_.of(this->upstream(), handle);
    const FreeOutcome outcome = this->upstream().free(handle);
    if (outcome != FreeOutcome::kFreed) return outcome;
    lengths_.remove(handle);
    live_.bytes -= std::min(bytes, live_.bytes);
    live_.blocks -= std::min<uint64_t>(1, live_.blocks);
    return outcome;
  }

  LiveFigures live() const noexcept { return live_; }
  const Limits& limits() const noexcept { return limits_; }
  // A limit below what is live ends no block: it only refuses until enough are freed.
  void set_limits(Limits limits) noexcept { limits_ = limits; }
  // The newest refusal by this limit; an upstream that was full is none.
  const std::optional<Refusal>& last_refusal() const noexcept { return last_refusal_; }
  uint64_t refusals() const noexcept { return refusals_; }

 private:
  [[gnu::cold]] uint64_t refuse(Refusal refusal) noexcept {
    last_refusal_ = refusal;
    ++refusals_;
    return 0;
  }

  Limits limits_;
  LiveFigures live_;
  uint64_t refusals_ = 0;
  std::optional<Refusal> last_refusal_;
  [[no_unique_address]] BlockLengths<U> lengths_;
};

}  // namespace nautilus
