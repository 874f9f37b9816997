// The kernel's page map tells pages of a file from copies that belong to this process; it shows that much to everybody
// about himself. Source: Documentation/admin-guide/mm/pagemap.rst.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "os/failure.h"
#include "os/unique_descriptor.h"
#include "segment/file_mapping.h"
#include "segment/segment.h"

namespace nautilus {
namespace {

constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kSwapped = uint64_t{1} << 62;
constexpr uint64_t kOfFileOrShared = uint64_t{1} << 61;
constexpr size_t kPagesAtOnce = 8192;

}  // namespace

uint64_t copied_bytes(const std::byte* base, size_t bytes) {
  const UniqueDescriptor map(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!map.is_open()) throw system_failure("open", errno, "copied pages, from /proc/self/pagemap");
  const size_t page = page_bytes();
  const size_t pages = (bytes + page - 1) / page;
  const size_t first = reinterpret_cast<uintptr_t>(base) / page;
  std::vector<uint64_t> entries(std::min(pages, kPagesAtOnce));
  uint64_t copied = 0;
  for (size_t done = 0; done < pages;) {
    const size_t wanted = std::min(pages - done, entries.size());
    const ssize_t read = ::pread(map.get(), entries.data(), wanted * sizeof(uint64_t),
                                 static_cast<off_t>((first + done) * sizeof(uint64_t)));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) throw system_failure("pread", errno, "copied pages, from /proc/self/pagemap");
    const size_t found = static_cast<size_t>(read) / sizeof(uint64_t);
    if (found == 0) throw Failure(ErrorCode::kSystem, "copied pages: /proc/self/pagemap ends before the mapping does");
    copied += static_cast<uint64_t>(std::count_if(
        entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(found),
        [](uint64_t entry) { return (entry & (kPresent | kSwapped)) != 0 && (entry & kOfFileOrShared) == 0; }));
    done += found;
  }
  return copied * page;
}

}  // namespace nautilus
