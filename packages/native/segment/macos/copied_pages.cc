// No Mac has run this yet. Darwin's mincore tells which pages were copied when they were written.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "os/failure.h"
#include "segment/file_mapping.h"
#include "segment/segment.h"

namespace nautilus {

uint64_t copied_bytes(const std::byte* base, size_t bytes) {
  const size_t page = page_bytes();
  std::vector<char> flags((bytes + page - 1) / page);
  if (::mincore(base, bytes, flags.data()) != 0) throw system_failure("mincore", errno, "copied pages");
  return page * static_cast<uint64_t>(std::count_if(flags.begin(), flags.end(),
                                                    [](char flag) { return (flag & MINCORE_COPIED) != 0; }));
}

}  // namespace nautilus
