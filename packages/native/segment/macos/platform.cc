// No Mac has run this yet. macOS: no seals, no /proc, no storage limit on POSIX shared memory; files reserve
// storage by F_PREALLOCATE.
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "os/failure.h"
#include "segment/platform.h"
#include "segment/segment.h"

namespace nautilus {

Seals read_seals(int) noexcept { return {}; }

bool is_anonymous_memory(int) noexcept { return false; }

std::optional<std::string> seal_future_writes(int) { return "not sealed: macOS has no seals"; }

UniqueDescriptor reopen_read_only(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) throw system_failure("fcntl", errno, "reopening descriptor " + std::to_string(fd));
  if ((flags & O_ACCMODE) == O_RDONLY) {
    UniqueDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy.is_open()) throw system_failure("fcntl", errno, "copying descriptor " + std::to_string(fd));
    return copy;
  }
  char path[PATH_MAX];
  if (::fcntl(fd, F_GETPATH, path) != 0) {
    throw Failure(ErrorCode::kUnsupported, "macOS cannot reopen shared memory; use the descriptor's readOnlyFd");
  }
  UniqueDescriptor reopened(::open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!reopened.is_open()) throw system_failure("open", errno, path);
  return reopened;
}

bool is_storage_limited(int) { return false; }

void reserve_storage(int fd, uint64_t bytes, const std::string& what) {
  fstore_t request{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (::fcntl(fd, F_PREALLOCATE, &request) == -1) throw system_failure("fcntl(F_PREALLOCATE)", errno, what);
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) throw system_failure("ftruncate", errno, what);
}

void prefault_pages(std::byte* base, size_t bytes) {
  const size_t step = page_bytes();
  for (size_t at = 0; at < bytes; at += step) {
    __atomic_fetch_or(reinterpret_cast<uint8_t*>(base + at), uint8_t{0}, __ATOMIC_RELAXED);
  }
}

std::optional<std::string> lock_pages(std::byte* base, size_t bytes, bool) {
  if (::mlock(base, bytes) == 0) return std::nullopt;
  return "not locked: " + describe_errno(errno) + "; " + std::to_string(bytes) + " bytes asked";
}

uint64_t resident_bytes(std::byte* base, size_t bytes) {
  const size_t page = page_bytes();
  std::vector<char> flags((bytes + page - 1) / page);
  if (::mincore(base, bytes, flags.data()) != 0) throw system_failure("mincore", errno, "residency");
  const auto resident =
      std::count_if(flags.begin(), flags.end(), [](char flag) { return (flag & MINCORE_INCORE) != 0; });
  return std::min<uint64_t>(static_cast<uint64_t>(resident) * page, bytes);
}

}  // namespace nautilus
