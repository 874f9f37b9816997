// No Mac has run this yet. The symbols of memfd/ for systems without it: honest refusal with the reason.
#include "segment/memfd/memfd_segment.h"

#include "os/failure.h"

namespace nautilus {

std::optional<std::string> memfd_unavailable_reason() { return "memfd exists on Linux only"; }

Segment create_memfd_segment(const SegmentRequest&) {
  throw Failure(ErrorCode::kUnsupported, "memfd exists on Linux only; use kind 'posix'");
}

}  // namespace nautilus
