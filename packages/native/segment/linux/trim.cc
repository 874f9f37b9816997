// Holes in shared memory on Linux. A hole is a write to the object: seals, permissions and the file system decide.
#include "segment/trim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "os/failure.h"
#include "segment/platform.h"

namespace nautilus {
namespace {

// 0, else the errno.
int punch(const PageRelease& release, PageRange range) noexcept {
  int outcome = 0;
  do {
    outcome = release.descriptor >= 0
                  ? ::fallocate(release.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                static_cast<off_t>(range.offset), static_cast<off_t>(range.bytes))
                  : ::madvise(release.base + range.offset, range.bytes, MADV_REMOVE);
  } while (outcome != 0 && errno == EINTR);
  return outcome == 0 ? 0 : errno;
}

std::string why(int error_number, bool by_descriptor) {
  switch (error_number) {
    case EPERM: return "the segment is sealed against new writers, and a hole counts as one";
    case EACCES: return "the mapping is not writable";
    case EBADF: return "the descriptor is not open for writing";
    case EINVAL: return by_descriptor ? "the object knows no holes" : "the mapping is locked or not shared";
    case EOPNOTSUPP: return "the file system knows no holes";
    default: return "the system refused";
  }
}

// What a hole there would give back. The object's own account also knows pages that are swapped out or were reserved
// and never touched; a mapping knows only those in memory.
uint64_t held_bytes(const PageRelease& release, PageRange range) {
  if (release.descriptor < 0) return resident_bytes(release.base + range.offset, range.bytes);
  struct stat object {};
  if (::fstat(release.descriptor, &object) != 0) throw system_failure("fstat", errno, "storage of a segment");
  return static_cast<uint64_t>(object.st_blocks) * 512;  // blocks of 512 bytes on every file system
}

}  // namespace

TrimOutcome release_pages(const PageRelease& release, std::span<const PageRange> ranges) {
  TrimOutcome outcome;
  for (const PageRange range : ranges) outcome.asked_bytes += range.bytes;
  if (release.descriptor >= 0 && !release.give_up_reservation && is_storage_limited(release.descriptor)) {
    outcome.reason =
        "not trimmed: the storage is limited and was reserved, so that no write can end in SIGBUS; "
        "ask to give up the reservation";
    return outcome;
  }
  for (const PageRange range : ranges) {
    const uint64_t before = held_bytes(release, range);
    if (const int error_number = punch(release, range); error_number != 0) {
      const bool by_descriptor = release.descriptor >= 0;
      outcome.reason = "not trimmed: " + why(error_number, by_descriptor) + "; " +
                       (by_descriptor ? "fallocate" : "madvise(MADV_REMOVE)") + " of " + std::to_string(range.bytes) +
                       " bytes at " + std::to_string(range.offset) + ": " + describe_errno(error_number);
      return outcome;
    }
    const uint64_t after = held_bytes(release, range);
    if (after < before) outcome.released_bytes += before - after;
  }
  return outcome;
}

}  // namespace nautilus
