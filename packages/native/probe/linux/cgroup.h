// The memory cgroup of this process: which version, whether it controls memory, and the smallest limit on the
// way up to the root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nautilus {

struct CgroupFacts {
  std::optional<int> version;
  bool memory_controller = false;
  std::optional<std::string> reason;      // why there is no version or no memory controller
  std::optional<uint64_t> limit_bytes;  // nothing when unlimited or unknown
};

CgroupFacts probe_cgroup();

}  // namespace nautilus
