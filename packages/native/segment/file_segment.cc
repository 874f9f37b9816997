// Never through a symbolic link, and never anything but a regular file: the path may lie in a shared directory.
#include "segment/file_segment.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/failure.h"
#include "segment/platform.h"
#include "segment/segment.h"

namespace nautilus {

UniqueDescriptor create_file_segment(const std::string& path, uint64_t bytes) {
  const std::string what = "file segment " + path + " of " + std::to_string(bytes) + " bytes";
  const uint64_t rounded = round_to(bytes, page_bytes());
  UniqueDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) throw system_failure("open", errno, what);
  try {
    if (::fchmod(file.get(), 0600) != 0) throw system_failure("fchmod", errno, what);
    reserve_storage(file.get(), rounded, what);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
  return file;
}

UniqueDescriptor open_file_segment(const std::string& path, bool writable) {
  const int access = writable ? O_RDWR : O_RDONLY;
  // O_NONBLOCK: opening a FIFO that somebody put there must not wait for its other end.
  UniqueDescriptor file(::open(path.c_str(), access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) throw system_failure("open", errno, "file segment " + path);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw system_failure("fstat", errno, "file segment " + path);
  if (!S_ISREG(facts.st_mode)) {
    throw Failure(ErrorCode::kInvalidArgument, "file segment " + path + ": not a regular file");
  }
  return file;
}

}  // namespace nautilus
