// flock and not fcntl locks: those belong to the process and vanish when any descriptor of the file is closed.
#include "os/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "os/failure.h"

namespace nautilus {

std::optional<UniqueDescriptor> try_lock_file(const std::string& path) {
  UniqueDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) throw system_failure("open", errno, "lock file " + path);
  int outcome = 0;
  do {
    outcome = ::flock(file.get(), LOCK_EX | LOCK_NB);
  } while (outcome != 0 && errno == EINTR);
  if (outcome == 0) return file;
  if (errno == EWOULDBLOCK) return std::nullopt;
  throw system_failure("flock", errno, "lock file " + path);
}

}  // namespace nautilus
