// How a range is cut into chunks whose checksums a GPU computes at once, and how the host joins them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "device/apple/views.h"
#include "device/crc32c.h"

namespace nautilus {

struct ChecksumPlan {
  struct Run {  // neighbouring chunks in one view; the last one may be shorter
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint32_t first_chunk = 0;
    uint32_t chunks = 0;
  };
  uint64_t chunk_bytes = 0;
  uint32_t chunks = 0;
  std::vector<Run> runs;
};

constexpr uint64_t kLeastChunkBytes = 4096;
constexpr uint64_t kMostChunks = 65536;

inline ChecksumPlan plan_checksum(const Views& views, uint64_t offset, uint64_t bytes) {
  ChecksumPlan plan;
  // Half of the chunks, so that short ones at the ends of views always have room.
  plan.chunk_bytes = std::max(kLeastChunkBytes, (bytes + kMostChunks / 2 - 1) / (kMostChunks / 2));
  while (bytes > 0) {
    const uint64_t here = std::min(bytes, views.left_behind(offset));
    const auto chunks = static_cast<uint32_t>((here + plan.chunk_bytes - 1) / plan.chunk_bytes);
    plan.runs.push_back({offset, here, plan.chunks, chunks});
    plan.chunks += chunks;
    offset += here;
    bytes -= here;
  }
  return plan;
}

// `checksums` are those of all chunks.
inline uint32_t join_chunks(const ChecksumPlan& plan, std::span<const uint32_t> checksums) {
  uint32_t joined = 0;
  for (const ChecksumPlan::Run& run : plan.runs) {
    uint64_t left = run.bytes;
    for (uint32_t chunk = 0; chunk < run.chunks; ++chunk) {
      const uint64_t bytes = std::min(left, plan.chunk_bytes);
      joined = crc32c_join(joined, checksums[run.first_chunk + chunk], bytes);
      left -= bytes;
    }
  }
  return joined;
}

}  // namespace nautilus
