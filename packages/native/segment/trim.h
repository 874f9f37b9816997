// Gives pages of a mapped segment back to the system: their bytes are lost, for every process, and cost no memory until
// they are touched again. Implemented in linux/, where they then read as zero, and macos/.
#pragma once

#include <cstddef>
#include <span>

#include "policy/trim.h"

namespace nautilus {

struct PageRelease {
  std::byte* base = nullptr;  // of a writable shared mapping of the whole segment
  int descriptor = -1;        // of the segment, writable; -1: not at hand
  // Storage that was reserved so that no write can end in SIGBUS may be given up. Without a descriptor nobody can
  // tell whether it was: the caller vouches for it.
  bool give_up_reservation = false;
};

// Ranges are whole pages of the mapping, huge ones where it has them. Stops at the first refusal; what was released
// before it counts. May throw std::bad_alloc, and Failure when the system does not say what is held.
TrimOutcome release_pages(const PageRelease& release, std::span<const PageRange> ranges);

}  // namespace nautilus
