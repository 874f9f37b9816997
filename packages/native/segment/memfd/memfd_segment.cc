// Linux memfd. Huge pages are reserved in the inode by a first shared mapping (which may go again at once), so
// that "none left" is an error here and not a SIGBUS at some later touch.
#include "segment/memfd/memfd_segment.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/failure.h"
#include "segment/linux/huge_pages.h"

#ifndef MFD_NOEXEC_SEAL  // Linux 6.3; newer than the C library's header
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace nautilus {
namespace {

UniqueDescriptor open_memfd(const std::string& name, unsigned flags) {
  // Since 6.3 the kernel wants to be told that nothing here will be executed; before, it rejects the flag.
  int fd = ::memfd_create(name.c_str(), flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name.c_str(), flags);
  return UniqueDescriptor(fd);
}

void reserve_huge_pages(int fd, uint64_t bytes, const HugePages& pages) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    const int error_number = errno;
    if (error_number != ENOMEM) throw system_failure("mmap", error_number, "reserving huge pages");
    throw Failure(ErrorCode::kOutOfMemory,
                  "huge pages: " + std::to_string(bytes / pages.page_bytes) + " of " +
                      std::to_string(pages.page_bytes) + " bytes needed, " +
                      std::to_string(pages.free_pages) +
                      " free; raise vm.nr_hugepages or ask without hugePages",
                  KernelError{error_number, "mmap"});
  }
  ::munmap(mapped, bytes);
}

}  // namespace

std::optional<std::string> memfd_unavailable_reason() {
  const UniqueDescriptor probe = open_memfd("nautilus-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (probe.is_open()) return std::nullopt;
  return "memfd_create failed: " + describe_errno(errno);
}

Segment create_memfd_segment(const SegmentRequest& request) {
  const std::string what = "memfd segment " + request.name + " of " + std::to_string(request.bytes) + " bytes";
  HugePages pages;
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (request.huge_pages) {
    pages = read_huge_pages();
    if (pages.page_bytes == 0) {
      throw Failure(ErrorCode::kOutOfMemory, what + ": this kernel has no huge pages, 0 bytes available");
    }
    flags |= MFD_HUGETLB;
  }
  const uint64_t bytes = round_to(request.bytes, request.huge_pages ? pages.page_bytes : page_bytes());

  Segment segment;
  segment.descriptor = open_memfd(request.name, flags);
  const int fd = segment.descriptor.get();
  if (fd < 0) throw system_failure("memfd_create", errno, what);
  if (::fchmod(fd, 0600) != 0) throw system_failure("fchmod", errno, what);
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) throw system_failure("ftruncate", errno, what);
  if (request.huge_pages) reserve_huge_pages(fd, bytes, pages);
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    throw system_failure("fcntl(F_ADD_SEALS)", errno, what);
  }
  return segment;
}

}  // namespace nautilus
