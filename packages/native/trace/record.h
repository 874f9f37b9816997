// The record of a trace: every allocation and every free of a run, in order, little-endian and 16 bytes each. Whoever
// writes a trace and whoever replays one takes the format from here; examples/traces/README.md describes it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace nautilus {

static_assert(std::endian::native == std::endian::little, "a trace is little-endian, written as it lies in memory");

enum class TraceOperation : uint32_t { kAllocate = 0, kFree = 1 };

struct TraceRecord {
  TraceOperation operation = TraceOperation::kAllocate;
  uint32_t id = 0;     // dense, in the order of allocation, never used again
  uint64_t bytes = 0;  // as asked for; 0 for a free
};
static_assert(sizeof(TraceRecord) == 16 && offsetof(TraceRecord, id) == 4 && offsetof(TraceRecord, bytes) == 8);

}  // namespace nautilus
