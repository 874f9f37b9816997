// Which pages of a segment hold no byte of any block: what may be given back to the system. The rule is pure; giving
// the pages back is the function it is handed, release_pages() of segment/trim.h or another's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alloc/strategy.h"

namespace nautilus {

struct PageRange {
  uint64_t offset = 0;  // multiples of a page, both
  uint64_t bytes = 0;
};

struct TrimOutcome {
  uint64_t asked_bytes = 0;     // of whole free pages
  uint64_t released_bytes = 0;  // of them, what took memory and does not any more
  std::optional<std::string> reason;  // why some or all were refused
};

// The whole pages inside free ranges (by rising offset), stretches shorter than minimum_bytes left out: each costs a
// system call. May throw std::bad_alloc.
std::vector<PageRange> whole_pages(std::span<const FreeRange> ranges, uint64_t page_bytes, uint64_t minimum_bytes = 0);

// Of an arena, or of a policy over one. No block may begin meanwhile, see ThreadSafe::locked(). release(ranges)
// answers a TrimOutcome; it is called when there is something to release.
template <typename Source, typename Release>
TrimOutcome trim(const Source& source, uint64_t page_bytes, uint64_t minimum_bytes, Release&& release) {
  const std::vector<PageRange> pages = whole_pages(source.free_ranges(), page_bytes, minimum_bytes);
  if (pages.empty()) return {};
  return release(std::span<const PageRange>(pages));
}

}  // namespace nautilus
