// Storage and residency of pages on Linux.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "os/failure.h"
#include "segment/platform.h"
#include "segment/segment.h"

#ifndef MADV_POPULATE_WRITE  // Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

namespace nautilus {

bool is_storage_limited(int fd) {
  struct statfs limits {};
  if (::fstatfs(fd, &limits) != 0) throw system_failure("fstatfs", errno, "segment storage");
  return limits.f_blocks != 0;  // tmpfs reports 0 blocks when it was mounted without a size
}

void reserve_storage(int fd, uint64_t bytes, const std::string& what) {
  int outcome = 0;
  do {
    outcome = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  } while (outcome == EINTR);
  if (outcome == 0) return;
  struct statfs limits {};
  std::string room;
  if (::fstatfs(fd, &limits) == 0) {
    room = ", " + std::to_string(static_cast<uint64_t>(limits.f_bavail) * static_cast<uint64_t>(limits.f_bsize)) +
           " bytes free there";
  }
  throw system_failure("posix_fallocate", outcome, what + room);
}

void prefault_pages(std::byte* base, size_t bytes) {
  int outcome = 0;
  do {
    outcome = ::madvise(base, bytes, MADV_POPULATE_WRITE);
  } while (outcome != 0 && (errno == EINTR || errno == EAGAIN));
  if (outcome == 0) return;
  if (errno != EINVAL) throw system_failure("madvise", errno, "prefault of " + std::to_string(bytes) + " bytes");
  // Before 5.14: an atomic "or 0" writes to the page and cannot undo what a peer writes at the same moment.
  const size_t step = page_bytes();
  for (size_t at = 0; at < bytes; at += step) {
    std::atomic_ref<uint8_t>(*reinterpret_cast<uint8_t*>(base + at)).fetch_or(0, std::memory_order_relaxed);
  }
}

std::optional<std::string> lock_pages(std::byte* base, size_t bytes, bool now) {
  int outcome = now ? ::mlock(base, bytes) : ::mlock2(base, bytes, MLOCK_ONFAULT);
  if (outcome == 0) return std::nullopt;
  const int error_number = errno;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string allowed = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
  return "not locked: " + describe_errno(error_number) + "; " + std::to_string(bytes) +
         " bytes asked, RLIMIT_MEMLOCK allows " + allowed +
         " in all; raise it (ulimit -l, LimitMEMLOCK=, --ulimit memlock=) or give the process CAP_IPC_LOCK";
}

uint64_t resident_bytes(std::byte* base, size_t bytes) {
  constexpr size_t kPagesAtOnce = 65536;
  const size_t page = page_bytes();
  std::vector<unsigned char> flags(std::min(kPagesAtOnce, (bytes + page - 1) / page));
  uint64_t resident = 0;
  for (size_t at = 0; at < bytes; at += flags.size() * page) {
    const size_t length = std::min(bytes - at, flags.size() * page);
    if (::mincore(base + at, length, flags.data()) != 0) throw system_failure("mincore", errno, "residency");
    const size_t pages = (length + page - 1) / page;
    resident += page * static_cast<uint64_t>(std::count_if(flags.begin(), flags.begin() + static_cast<long>(pages),
                                                           [](unsigned char flag) { return (flag & 1) != 0; }));
  }
  return std::min<uint64_t>(resident, bytes);
}

}  // namespace nautilus
