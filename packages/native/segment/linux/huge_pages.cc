// HugePages_Free counts pages that are promised to a mapping as well (HugePages_Rsvd): those are not free.
#include "segment/linux/huge_pages.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace nautilus {

HugePages read_huge_pages() {
  HugePages pages;
  uint64_t reserved = 0;
  std::ifstream meminfo("/proc/meminfo");
  std::string key;
  uint64_t value = 0;
  while (meminfo >> key >> value) {
    if (key == "HugePages_Total:") pages.total_pages = value;
    if (key == "HugePages_Free:") pages.free_pages = value;
    if (key == "HugePages_Rsvd:") reserved = value;
    if (key == "Hugepagesize:") pages.page_bytes = value * 1024;
    meminfo.ignore(64, '\n');
  }
  pages.free_pages -= std::min(reserved, pages.free_pages);
  return pages;
}

}  // namespace nautilus
