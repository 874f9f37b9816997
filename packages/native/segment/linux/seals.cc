// Seals of memfd. F_SEAL_FUTURE_WRITE (Linux 5.1) is what makes a read-only grant safe against a peer that
// runs as root and reopens the descriptor through /proc.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "os/failure.h"
#include "segment/platform.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace nautilus {
namespace {

std::string proc_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

}  // namespace

Seals read_seals(int fd) noexcept {
  const int bits = ::fcntl(fd, F_GET_SEALS);
  if (bits < 0) return {};
  Seals seals;
  seals.shrink = (bits & F_SEAL_SHRINK) != 0;
  seals.grow = (bits & F_SEAL_GROW) != 0;
  seals.write = (bits & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) != 0;
  seals.is_sealable = (bits & F_SEAL_SEAL) == 0;
  return seals;
}

bool is_anonymous_memory(int fd) noexcept {
  // Files of any tmpfs answer F_GET_SEALS, only the link tells a memfd from them.
  char link[16] = {};
  const ssize_t length = ::readlink(proc_path(fd).c_str(), link, sizeof link - 1);
  if (length < 0) return read_seals(fd).is_sealable;
  return std::strncmp(link, "/memfd:", 7) == 0;
}

std::optional<std::string> seal_future_writes(int fd) {
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0) return std::nullopt;
  const int error_number = errno;
  if (read_seals(fd).write) return std::nullopt;
  if (error_number == EINVAL) {
    return "not sealed: needs a memfd and F_SEAL_FUTURE_WRITE (Linux 5.1)";
  }
  if (error_number == EPERM) {
    return "not sealed: the object does not take seals (posix and file segments), or the descriptor is read-only";
  }
  return "not sealed: " + describe_errno(error_number);
}

UniqueDescriptor reopen_read_only(int fd) {
  UniqueDescriptor reopened(::open(proc_path(fd).c_str(), O_RDONLY | O_CLOEXEC));
  if (!reopened.is_open()) throw system_failure("open", errno, "reopening descriptor " + std::to_string(fd));
  return reopened;
}

}  // namespace nautilus
