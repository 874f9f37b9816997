// Keeps segments resident on one GPU by a few capped MTLResidencySets (macOS 15), each segment added once and removed
// once. Where a segment finds no room, it works all the same: Metal makes it resident for each command buffer.
#pragma once

#import <Metal/Metal.h>

#include <array>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "device/apple/residency.h"

namespace nautilus {

class ResidencySets {
 public:
  ResidencySets(id<MTLDevice> device, id<MTLCommandQueue> queue, uint64_t working_set_bytes)
      : device_(device), queue_(queue), working_set_bytes_(working_set_bytes) {}

  // A number for remove(), and `why` when the segment is not kept resident.
  size_t add(const std::vector<id<MTLBuffer>>& views, uint64_t bytes, std::string& why);
  void remove(size_t number, const std::vector<id<MTLBuffer>>& views);
  // What the host has left for this process.
  uint64_t left_bytes() const;

 private:
  uint64_t wired_here() const;
  uint64_t wired_by_others() const;
  std::string put(uint32_t set, const std::vector<id<MTLBuffer>>& views);

  mutable std::mutex lock_;
  id<MTLDevice> device_;
  id<MTLCommandQueue> queue_;
  uint64_t working_set_bytes_;
  std::vector<ResidentSegment> segments_;
  // Of id<MTLResidencySet>, which macOS 14 does not have.
  std::array<id, kMostResidencySets> sets_{};
};

}  // namespace nautilus
