// No Mac has run this yet. Darwin has no O_DIRECT: F_NOCACHE asks that transfers of a descriptor leave nothing in the
// buffer cache, and wants no alignment.
#include "segment/direct_io.h"

#include <fcntl.h>

#include <cerrno>

#include "os/failure.h"
#include "segment/segment.h"

namespace nautilus {

std::optional<std::string> set_direct(int fd) {
  if (::fcntl(fd, F_NOCACHE, 1) == 0) return std::nullopt;
  return "F_NOCACHE refused: " + describe_errno(errno);
}

// Not the least that is taken, but what is certain to stay direct.
std::optional<DirectIoUnit> direct_io_unit(int) { return DirectIoUnit{page_bytes(), page_bytes()}; }

}  // namespace nautilus
