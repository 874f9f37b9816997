// Names are at most 31 characters (PSHMNAMLEN of macOS), and ftruncate works once there. The second, read-only
// descriptor is opened while the name exists, because macOS has no /proc to reopen an object through.
#include "segment/posix/posix_segment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <random>

#include "os/failure.h"
#include "segment/platform.h"

namespace nautilus {
namespace {

constexpr int kNameAttempts = 8;

std::string random_name() {
  std::random_device random;
  char name[32];
  std::snprintf(name, sizeof name, "/nautilus-%08x%08x", random(), random());
  return name;
}

}  // namespace

std::optional<std::string> posix_unavailable_reason() {
  const std::string name = random_name();
  const UniqueDescriptor probe(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!probe.is_open()) return "shm_open failed: " + describe_errno(errno);
  ::shm_unlink(name.c_str());
  return std::nullopt;
}

Segment create_posix_segment(const SegmentRequest& request) {
  const std::string what = "posix segment " + request.name + " of " + std::to_string(request.bytes) + " bytes";
  if (request.huge_pages) {
    throw Failure(ErrorCode::kUnsupported, what + ": huge pages need kind 'memfd'");
  }
  const uint64_t bytes = round_to(request.bytes, page_bytes());

  Segment segment;
  std::string name;
  for (int attempt = 0; attempt < kNameAttempts && !segment.descriptor.is_open(); ++attempt) {
    name = random_name();
    segment.descriptor = UniqueDescriptor(::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
    if (!segment.descriptor.is_open() && errno != EEXIST) throw system_failure("shm_open", errno, what);
  }
  if (!segment.descriptor.is_open()) throw system_failure("shm_open", EEXIST, what);
  segment.read_only = UniqueDescriptor(::shm_open(name.c_str(), O_RDONLY, 0));
  const int read_only_error = errno;
  ::shm_unlink(name.c_str());
  if (!segment.read_only.is_open()) throw system_failure("shm_open", read_only_error, what);

  const int fd = segment.descriptor.get();
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) throw system_failure("ftruncate", errno, what);
  if (is_storage_limited(fd)) reserve_storage(fd, bytes, what);
  return segment;
}

}  // namespace nautilus
