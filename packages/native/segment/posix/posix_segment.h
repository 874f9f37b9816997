// POSIX shared memory, for systems without memfd: a name that exists only for the moment of creation. It
// cannot be sealed, so it is for peers that are trusted not to shrink it.
#pragma once

#include "segment/segment.h"

namespace nautilus {

std::optional<std::string> posix_unavailable_reason();
Segment create_posix_segment(const SegmentRequest& request);

}  // namespace nautilus
