// O_DIRECT is set on the open descriptor: open(2) with O_CREAT makes the file before it refuses the flag. Units since
// Linux 6.1, by statx(2), whose answer is declared here because C libraries are older.
#include "segment/direct_io.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/failure.h"

namespace nautilus {
namespace {

// struct statx of include/uapi/linux/stat.h
struct StatxAnswer {
  uint32_t mask;
  uint32_t before[37];
  uint32_t direct_memory_align;
  uint32_t direct_offset_align;
  uint64_t after[12];
};
static_assert(sizeof(StatxAnswer) == 256 && offsetof(StatxAnswer, direct_memory_align) == 152);

constexpr unsigned kStatxDirectAlign = 0x2000;

}  // namespace

std::optional<std::string> set_direct(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) throw system_failure("fcntl", errno, "descriptor " + std::to_string(fd));
  if (::fcntl(fd, F_SETFL, flags | O_DIRECT) == 0) return std::nullopt;
  const int error_number = errno;
  return "O_DIRECT refused: " + describe_errno(error_number) +
         (error_number == EINVAL ? "; the file system has no direct transfers, choose a directory on a disk" : "");
}

std::optional<DirectIoUnit> direct_io_unit(int fd) {
  StatxAnswer answer{};
  if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, kStatxDirectAlign, &answer) != 0) {
    if (errno == ENOSYS) return std::nullopt;  // before Linux 4.11
    throw system_failure("statx", errno, "descriptor " + std::to_string(fd));
  }
  if ((answer.mask & kStatxDirectAlign) == 0) return std::nullopt;
  return DirectIoUnit{answer.direct_memory_align, answer.direct_offset_align};
}

}  // namespace nautilus
