// The rounding of free ranges to pages: inwards, so that no byte of a live block is ever given back.
#include "policy/trim.h"

#include <algorithm>

namespace nautilus {

std::vector<PageRange> whole_pages(std::span<const FreeRange> ranges, uint64_t page_bytes, uint64_t minimum_bytes) {
  std::vector<PageRange> pages;
  const uint64_t least = std::max(minimum_bytes, page_bytes);
  for (size_t at = 0; at < ranges.size();) {
    const uint64_t start = ranges[at].start;
    uint64_t end = ranges[at].end;
    // A strategy may know one stretch as several ranges, of a buddy's sizes for instance.
    while (++at < ranges.size() && ranges[at].start == end) end = ranges[at].end;
    const uint64_t first = (start + page_bytes - 1) / page_bytes * page_bytes;
    const uint64_t last = end / page_bytes * page_bytes;
    if (last > first && last - first >= least) pages.push_back({first, last - first});
  }
  return pages;
}

}  // namespace nautilus
