// Files as segments: the page cache itself is mapped, so no byte is copied. Only a page that is written through a
// private mapping becomes a copy, of this process alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "segment/mapped_region.h"

namespace nautilus {

struct FileMapRequest {
  std::string path;
  bool is_private = false;          // writable, in copies of the pages; else read-only
  uint64_t offset = 0;              // whole pages
  std::optional<uint64_t> bytes{};  // to the end of the file when not given
};

struct FileMapping {
  std::shared_ptr<MappedRegion> region;
  uint64_t file_bytes = 0;
  // Why an access may yet end in SIGBUS; nothing for a file that is sealed against shrinking.
  std::optional<std::string> shrink_risk;
};

// The file is followed through symbolic links, may be removed afterwards, and stays open to changes by others.
FileMapping map_file(const FileMapRequest& request);

// Bytes in pages of a private mapping that are copies by now. Implemented in linux/ and macos/.
uint64_t copied_bytes(const std::byte* base, size_t bytes);

}  // namespace nautilus
