// Device and inode together are the identity of a segment, whatever descriptor or process it came through.
#include "segment/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "os/failure.h"
#include "segment/platform.h"

namespace nautilus {

Inspection inspect_descriptor(int fd) {
  const std::string what = "descriptor " + std::to_string(fd);
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) throw system_failure("fstat", errno, what);
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) throw system_failure("fcntl", errno, what);
  const Seals seals = read_seals(fd);
  Inspection found{};
  found.device = static_cast<uint64_t>(facts.st_dev);
  found.inode = static_cast<uint64_t>(facts.st_ino);
  found.bytes = static_cast<uint64_t>(facts.st_size);
  found.is_regular = S_ISREG(facts.st_mode);
  found.writable = (flags & O_ACCMODE) == O_RDWR;
  found.sealed_shrink = seals.shrink;
  found.sealed_grow = seals.grow;
  found.sealed_write = seals.write;
  return found;
}

}  // namespace nautilus
