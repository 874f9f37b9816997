// memfd: anonymous memory with a descriptor and no name, so that who has the descriptor is the permission;
// sealed against resizing, so that no peer can take pages away under a mapping.
#pragma once

#include "segment/segment.h"

namespace nautilus {

std::optional<std::string> memfd_unavailable_reason();
Segment create_memfd_segment(const SegmentRequest& request);

}  // namespace nautilus
