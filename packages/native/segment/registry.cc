// The kinds of segment, best first. `no_memfd/` implements the same symbols where memfd does not exist.
#include <sys/types.h>

#include <limits>

#include "os/failure.h"
#include "segment/memfd/memfd_segment.h"
#include "segment/posix/posix_segment.h"
#include "segment/segment.h"

namespace nautilus {
namespace {

constexpr SegmentKind kKinds[] = {
    {"memfd", memfd_unavailable_reason, create_memfd_segment},
    {"posix", posix_unavailable_reason, create_posix_segment},
};

}  // namespace

std::span<const SegmentKind> segment_kinds() noexcept { return kKinds; }

const SegmentKind* find_segment_kind(std::string_view name) noexcept {
  for (const SegmentKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

uint64_t round_to(uint64_t bytes, uint64_t unit) {
  const uint64_t limit = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  if (bytes > limit - unit) {
    throw Failure(ErrorCode::kTooLarge,
                  "segment of " + std::to_string(bytes) + " bytes: the system allows " + std::to_string(limit));
  }
  return (bytes + unit - 1) / unit * unit;
}

uint64_t page_bytes() { return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace nautilus
