// Logs every allocation and free, for the replay tool. What the log holds is always a whole prefix of what happened: a
// record that finds no room ends it, because a log with a gap would replay something that never was. What is left
// out after that is counted.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "policy/upstream.h"
#include "trace/record.h"

namespace nautilus {

// Answers how many of the records it took, from the first on; fewer than all means that it is full for now. It must
// not throw: it also runs when a block is freed.
template <typename Sink>
concept TraceSink = std::is_nothrow_invocable_r_v<size_t, Sink&, std::span<const TraceRecord>>;

struct TraceOptions {
  size_t batch_records = 4096;  // at least 1; they wait in memory, 16 bytes each
  uint32_t first_id = 0;        // to go on with a log
};

template <Upstream U, TraceSink Sink>
class Trace : public PolicyOver<U> {
 public:
  // May throw std::bad_alloc.
  Trace(U& upstream, Sink sink, TraceOptions options = {})
      : PolicyOver<U>(upstream), sink_(std::move(sink)), next_id_(options.first_id) {
    waiting_.resize(std::max<size_t>(1, options.batch_records));
  }
  // A log that must be known to be whole is flushed, and asked, before.
  ~Trace() { flush(); }

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    ids_.reserve_one();
    const uint64_t handle = this->upstream().allocate(bytes, alignment);
    if (handle == 0) return 0;
    const auto id = static_cast<uint32_t>(next_id_);
    if (next_id_ > UINT32_MAX) {
      lose();
    } else if (write({TraceOperation::kAllocate, id, bytes})) {
      ids_.insert(handle, id);
      ++next_id_;
    }
    return handle;
  }

  FreeOutcome free(uint64_t handle) noexcept {
    const FreeOutcome outcome = this->upstream().free(handle);
    if (outcome != FreeOutcome::kFreed) return outcome;
    if (const uint32_t* id = ids_.find(handle)) {
      write({TraceOperation::kFree, *id, 0});
      ids_.erase(handle);
    } else if (has_ended_) {
      ++lost_records_;
    } else {
      ++foreign_frees_;
    }
    return outcome;
  }

  // Offers the sink what waits; false when it did not take all. What it refused waits on, and is offered again.
  bool flush() noexcept {
    if (waiting_count_ == 0) return true;
    const size_t taken =
        std::min<size_t>(waiting_count_, sink_(std::span<const TraceRecord>(waiting_.data(), waiting_count_)));
    std::copy(waiting_.begin() + static_cast<std::ptrdiff_t>(taken),
              waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_count_), waiting_.begin());
    waiting_count_ -= taken;
    written_records_ += taken;
    return waiting_count_ == 0;
  }

  uint64_t written_records() const noexcept { return written_records_; }
  uint64_t waiting_records() const noexcept { return waiting_count_; }
  // Not 0: the log has ended, and this many events came after its end.
  uint64_t lost_records() const noexcept { return lost_records_; }
  // Frees of blocks from before the trace: a replay could not know them.
  uint64_t foreign_frees() const noexcept { return foreign_frees_; }

 private:
  bool write(TraceRecord record) noexcept {
    if (has_ended_ || (waiting_count_ == waiting_.size() && !flush() && waiting_count_ == waiting_.size())) {
      lose();
      return false;
    }
    waiting_[waiting_count_++] = record;
    return true;
  }
  void lose() noexcept {
    has_ended_ = true;
    ++lost_records_;
  }

  Sink sink_;
  uint64_t next_id_;
  HandleMap<uint32_t> ids_;
  std::vector<TraceRecord> waiting_;
  size_t waiting_count_ = 0;
  uint64_t written_records_ = 0;
  uint64_t lost_records_ = 0;
  uint64_t foreign_frees_ = 0;
  bool has_ended_ = false;
};

}  // namespace nautilus
