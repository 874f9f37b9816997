// What the kernel has of its default huge page size, from /proc/meminfo.
#pragma once

#include <cstdint>

namespace nautilus {

struct HugePages {
  uint64_t page_bytes = 0;  // 0: the kernel has none
  uint64_t total_pages = 0;
  uint64_t free_pages = 0;  // not yet reserved by anyone
};

HugePages read_huge_pages();

}  // namespace nautilus
