// Whether a disk really reads and writes a buffer in place: O_DIRECT is a wish, which file systems may refuse or take
// and then go through the page cache all the same. So it is tried out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace nautilus {

struct DirectIoProof {
  std::optional<std::string> reason;  // why it is not proven; nothing when it is
  uint64_t block_bytes = 0;           // unit of offsets and lengths; 0: not known
  bool block_is_told = false;         // by the kernel; else found by trying
  std::string via_file;               // what it went through; gone by now
};

// Writes the first half of the scratch to a new file, reads it back into the second half, and looks whether the page
// cache saw any of it. Waits for the disk. The scratch is zero afterwards. Throws when no file can be made there.
DirectIoProof prove_direct_io(std::span<std::byte> scratch, const std::string& directory);

// Implemented in linux/ and macos/.
struct DirectIoUnit {
  uint64_t memory_bytes = 1;  // of addresses
  uint64_t block_bytes = 0;   // of offsets and lengths; 0: this file takes none
};
// Nothing when transfers of the descriptor go around the page cache from now on, else the reason.
std::optional<std::string> set_direct(int fd);
// Nothing when the system does not tell.
std::optional<DirectIoUnit> direct_io_unit(int fd);

}  // namespace nautilus
