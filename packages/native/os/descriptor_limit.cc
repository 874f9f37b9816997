// An unlimited hard limit is reported as 2^53 - 1, the largest number JavaScript holds exactly.
#include "os/descriptor_limit.h"

#include <limits.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "os/failure.h"

namespace nautilus {
namespace {

uint64_t bounded(rlim_t limit) { return std::min<uint64_t>(limit, (uint64_t{1} << 53) - 1); }

}  // namespace

DescriptorLimit raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw system_failure("getrlimit", errno, "limit of open files");
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    // A kernel with a lower bound of its own (macOS: OPEN_MAX) refuses; then what it had stays in force.
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return {bounded(limit.rlim_cur), bounded(limit.rlim_max)};
}

}  // namespace nautilus
