// No Mac has run this yet. Darwin punches no holes in shared memory objects: pages are marked as reusable, are taken
// when the system needs them, and keep their bytes until then. Footprints stop counting them at once.
#include "segment/trim.h"

#include <sys/mman.h>

#include <cerrno>
#include <string>

#include "os/failure.h"

namespace nautilus {

TrimOutcome release_pages(const PageRelease& release, std::span<const PageRange> ranges) {
  TrimOutcome outcome;
  for (const PageRange range : ranges) outcome.asked_bytes += range.bytes;
  for (const PageRange range : ranges) {
    int advised = 0;
    do {
      advised = ::madvise(release.base + range.offset, range.bytes, MADV_FREE_REUSABLE);
    } while (advised != 0 && errno == EAGAIN);
    if (advised != 0) {
      outcome.reason = "not trimmed: madvise(MADV_FREE_REUSABLE) of " + std::to_string(range.bytes) + " bytes at " +
                       std::to_string(range.offset) + ": " + describe_errno(errno);
      return outcome;
    }
    // Residency tells nothing here: the pages stay until the system wants them.
    outcome.released_bytes += range.bytes;
  }
  return outcome;
}

}  // namespace nautilus
