// Current, peak and total of bytes and blocks, in scopes: what one phase of a program took, apart from what was live
// before it. A scope that ends is folded into the one around it, whose peak then includes the scope's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "policy/upstream.h"

namespace nautilus {

struct Counter {
  int64_t current = 0;  // since the scope began; below 0 when it freed more than it allocated
  int64_t peak = 0;     // highest current of the scope, never below 0
  uint64_t total = 0;   // of allocations; frees take nothing off

  void allocated(uint64_t amount) noexcept {
    current += static_cast<int64_t>(amount);
    peak = std::max(peak, current);
    total += amount;
  }
  void freed(uint64_t amount) noexcept { current -= static_cast<int64_t>(amount); }
  void fold(const Counter& inner) noexcept {
    peak = std::max(peak, current + inner.peak);
    current += inner.current;
    total += inner.total;
  }
};

struct StatisticsFigures {
  Counter bytes;  // as asked for
  Counter blocks;
};

template <Upstream U>
class Statistics : public PolicyOver<U> {
 public:
  explicit Statistics(U& upstream) noexcept : PolicyOver<U>(upstream) {}

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    lengths_.reserve();
    const uint64_t handle = this->upstream().allocate(bytes, alignment);
    if (handle == 0) return 0;
    lengths_.add(handle, bytes);
    innermost_.bytes.allocated(bytes);
    innermost_.blocks.allocated(1);
    return handle;
  }

  FreeOutcome free(uint64_t handle) noexcept {
    const uint64_t bytes = lengths_.of(this->upstream(), handle);
    const FreeOutcome outcome = this->upstream().free(handle);
    if (outcome != FreeOutcome::kFreed) return outcome;
    lengths_.remove(handle);
    innermost_.bytes.freed(bytes);
    innermost_.blocks.freed(1);
    return outcome;
  }

  // Of the innermost scope.
  const StatisticsFigures& figures() const noexcept { return innermost_; }
  size_t open_scopes() const noexcept { return outer_.size(); }

  // Opens a scope whose figures begin at 0. May throw std::bad_alloc, and no scope is open then.
  void push() {
    outer_.push_back(innermost_);
    innermost_ = {};
  }
  // Ends the innermost scope and answers its figures; nothing when none is open.
  std::optional<StatisticsFigures> pop() noexcept {
    if (outer_.empty()) return std::nullopt;
    const StatisticsFigures ended = innermost_;
    innermost_ = outer_.back();
    outer_.pop_back();
    innermost_.bytes.fold(ended.bytes);
    innermost_.blocks.fold(ended.blocks);
    return ended;
  }

 private:
  StatisticsFigures innermost_;
  std::vector<StatisticsFigures> outer_;
  [[no_unique_address]] BlockLengths<U> lengths_;
};

}  // namespace nautilus
