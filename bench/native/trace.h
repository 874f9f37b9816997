// A recorded program: every allocation and every free in order, checked once so that no replay has to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nautilus::bench {

struct TraceEvent {
  uint64_t bytes;  // 0 frees
  uint32_t block;  // numbered densely in the order of allocation
};

struct Trace {
  std::string name;
  std::vector<TraceEvent> events;
  uint32_t blocks = 0;
  std::vector<uint32_t> left;  // blocks that are never freed
  uint64_t peak_live_bytes = 0;
  size_t peak_event = 0;  // the first that reaches the peak
};

// Little-endian records of 16 bytes: u32 op (0 allocate, 1 free), u32 id, u64 size. An allocation of 0 bytes counts
// as one byte, as malloc must answer it with a block. Throws std::runtime_error that names the file and the record.
Trace read_trace(const std::string& name, const std::string& path);

}  // namespace nautilus::bench
