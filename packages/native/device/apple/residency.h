// Which segments a GPU of Apple keeps resident, decided without Metal so that it is tested on any machine. Wired
// memory is scarce and belongs to all processes of the host; nobody above this process adds it up, so each reads what
// the others have wired before it wires more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nautilus {

constexpr uint32_t kMostResidencySets = 32;  // that one command queue takes (Metal documentation, addResidencySet)
constexpr uint32_t kNoResidencySet = UINT32_MAX;

// A working set, as the driver and the settings of the system say.
struct WorkingSet {
  std::optional<uint64_t> bytes;
  std::string source;  // of the figure, or why there is none
};

// `iogpu.*` are nothing where the system has no such setting; a wired limit of 0 is the default of the system.
WorkingSet working_set_of(uint64_t recommended_bytes, std::optional<uint64_t> wired_limit_mebibytes,
                          std::optional<uint64_t> resource_limit);

// What may be wired by this process: the working set without a reserve for the system, and without what others hold.
uint64_t residency_budget_bytes(uint64_t working_set_bytes, uint64_t wired_by_others_bytes);

// The size a set should not exceed. Driver work on a set grows with it, so sets are many and small: 5 % of the working
// set, at least 64 MiB.
uint64_t residency_set_cap_bytes(uint64_t working_set_bytes);

struct ResidentSegment {
  uint64_t bytes = 0;                // 0: it is gone, and its place in the list is kept
  uint32_t set = kNoResidencySet;    // where it is already; it stays there, since churn of sets panics some kernels
};

struct ResidencyPlace {
  uint32_t set = kNoResidencySet;
  std::string reason;  // why in none; empty otherwise
};

// A place for each segment, in their order. Placed ones keep theirs, even if the budget has shrunk below them. A
// segment larger than the cap has a set of its own while there is one; when all sets are taken, the emptiest grows past
// the cap.
std::vector<ResidencyPlace> split_residency(uint64_t working_set_bytes, uint64_t wired_by_others_bytes,
                                            std::span<const ResidentSegment> segments);

}  // namespace nautilus
