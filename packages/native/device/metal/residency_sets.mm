// No Mac has compiled or run this yet; only the syntax check has seen it. The driver calls behind residency.h.
#import "device/metal/residency_sets.h"

#include "device/apple/system_limits.h"

namespace nautilus {

uint64_t ResidencySets::wired_here() const {
  uint64_t bytes = 0;
  for (const ResidentSegment& segment : segments_) bytes += segment.set == kNoResidencySet ? 0 : segment.bytes;
  return bytes;
}

// Nobody counts by process, so everything wired that is not ours counts as others', the kernel's own included: too
// much rather than too little.
uint64_t ResidencySets::wired_by_others() const {
  const uint64_t wired = wired_bytes_of_host();
  const uint64_t ours = wired_here();
  return wired > ours ? wired - ours : 0;
}

uint64_t ResidencySets::left_bytes() const {
  const std::lock_guard guard(lock_);
  const uint64_t budget = residency_budget_bytes(working_set_bytes_, wired_by_others());
  const uint64_t ours = wired_here();
  return budget > ours ? budget - ours : 0;
}

size_t ResidencySets::add(const std::vector<id<MTLBuffer>>& views, uint64_t bytes, std::string& why) {
  const std::lock_guard guard(lock_);
  size_t number = 0;
  while (number < segments_.size() && segments_[number].bytes != 0) ++number;
  if (number == segments_.size()) segments_.emplace_back();
  segments_[number] = {bytes, kNoResidencySet};
  const ResidencyPlace place = split_residency(working_set_bytes_, wired_by_others(), segments_)[number];
  why = place.set == kNoResidencySet ? place.reason : put(place.set, views);
  if (why.empty()) segments_[number].set = place.set;
  return number;
}

std::string ResidencySets::put(uint32_t set, const std::vector<id<MTLBuffer>>& views) {
  if (@available(macOS 15.0, *)) {
    if (![device_ supportsFamily:MTLGPUFamilyMetal3]) return "not kept resident: the GPU is of no Metal 3 family";
    if (sets_[set] == nil) {
      NSError* error = nil;
      id<MTLResidencySet> made = [device_ newResidencySetWithDescriptor:[[MTLResidencySetDescriptor alloc] init]
                                                                  error:&error];
      if (made == nil) {
        return std::string("not kept resident: ") +
               (error == nil ? "no residency set was made" : error.localizedDescription.UTF8String);
      }
      [queue_ addResidencySet:made];
      sets_[set] = made;
    }
    id<MTLResidencySet> residents = sets_[set];
    for (id<MTLBuffer> view : views) [residents addAllocation:view];
    [residents commit];
    [residents requestResidency];
    return "";
  }
  return "not kept resident: residency sets need macOS 15";
}

void ResidencySets::remove(size_t number, const std::vector<id<MTLBuffer>>& views) {
  const std::lock_guard guard(lock_);
  const uint32_t set = segments_[number].set;
  segments_[number] = {};
  if (set == kNoResidencySet) return;
  if (@available(macOS 15.0, *)) {
    id<MTLResidencySet> residents = sets_[set];
    for (id<MTLBuffer> view : views) [residents removeAllocation:view];
    [residents commit];
  }
}

}  // namespace nautilus
