// The arithmetic of residency: first fit into capped sets, never above what the host has left.
#include "device/apple/residency.h"

#include <algorithm>
#include <array>

namespace nautilus {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kSystemReserveBytes = 2048 * kMebibyte;  // for the window server and everything else that draws
constexpr uint64_t kLeastCapBytes = 64 * kMebibyte;
constexpr uint64_t kSetsOfAWorkingSet = 20;  // a set is 5 % of it

using SetBytes = std::array<uint64_t, kMostResidencySets>;

uint32_t choose_set(const SetBytes& used, uint64_t bytes, uint64_t cap) {
  for (uint32_t set = 0; set < kMostResidencySets; ++set) {
    if (used[set] == 0 || (used[set] <= cap && bytes <= cap - used[set])) return set;
  }
  return static_cast<uint32_t>(std::min_element(used.begin(), used.end()) - used.begin());
}

}  // namespace

WorkingSet working_set_of(uint64_t recommended_bytes, std::optional<uint64_t> wired_limit_mebibytes,
                          std::optional<uint64_t> resource_limit) {
  WorkingSet set;
  const std::string resources =
      resource_limit ? "; iogpu.rsrc_limit " + std::to_string(*resource_limit) + " resources" : "";
  if (recommended_bytes == 0) {
    set.source = "the driver recommends no working set" + resources;
    return set;
  }
  set.bytes = recommended_bytes;
  set.source = "recommendedMaxWorkingSetSize";
  if (!wired_limit_mebibytes) {
    set.source += "; iogpu.wired_limit_mb is not known here";
  } else if (*wired_limit_mebibytes == 0) {
    set.source += "; iogpu.wired_limit_mb is the system's default";
  } else if (*wired_limit_mebibytes < recommended_bytes / kMebibyte) {
    set.bytes = *wired_limit_mebibytes * kMebibyte;
    set.source = "iogpu.wired_limit_mb, below recommendedMaxWorkingSetSize " + std::to_string(recommended_bytes);
  } else {
    set.source += "; iogpu.wired_limit_mb " + std::to_string(*wired_limit_mebibytes);
  }
  set.source += resources;
  return set;
}

uint64_t residency_budget_bytes(uint64_t working_set_bytes, uint64_t wired_by_others_bytes) {
  if (working_set_bytes <= kSystemReserveBytes) return 0;
  const uint64_t usable = working_set_bytes - kSystemReserveBytes;
  return usable > wired_by_others_bytes ? usable - wired_by_others_bytes : 0;
}

uint64_t residency_set_cap_bytes(uint64_t working_set_bytes) {
  return std::max(working_set_bytes / kSetsOfAWorkingSet, kLeastCapBytes);
}

std::vector<ResidencyPlace> split_residency(uint64_t working_set_bytes, uint64_t wired_by_others_bytes,
                                            std::span<const ResidentSegment> segments) {
  const uint64_t budget = residency_budget_bytes(working_set_bytes, wired_by_others_bytes);
  const uint64_t cap = residency_set_cap_bytes(working_set_bytes);
  SetBytes used{};
  uint64_t wired = 0;
  for (const ResidentSegment& segment : segments) {
    if (segment.set >= kMostResidencySets) continue;
    used[segment.set] += segment.bytes;
    wired += segment.bytes;
  }
  std::vector<ResidencyPlace> places;
  places.reserve(segments.size());
  for (const ResidentSegment& segment : segments) {
    if (segment.bytes == 0) {
      places.push_back({kNoResidencySet, "no bytes"});
    } else if (segment.set < kMostResidencySets) {
      places.push_back({segment.set, ""});
    } else if (wired > budget || segment.bytes > budget - wired) {
      places.push_back({kNoResidencySet, "not kept resident: " + std::to_string(segment.bytes) + " bytes, and " +
                                             std::to_string(budget > wired ? budget - wired : 0) + " of " +
                                             std::to_string(working_set_bytes) + " are left: " +
                                             std::to_string(wired) + " wired here, " +
                                             std::to_string(wired_by_others_bytes) + " by others, " +
                                             std::to_string(kSystemReserveBytes) + " kept for the system"});
    } else {
      const uint32_t set = choose_set(used, segment.bytes, cap);
      used[set] += segment.bytes;
      wired += segment.bytes;
      places.push_back({set, ""});
    }
  }
  return places;
}

}  // namespace nautilus
