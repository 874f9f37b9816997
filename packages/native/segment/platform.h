// What systems do differently about segments; implemented in linux/ and macos/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "os/unique_descriptor.h"

namespace nautilus {

struct Seals {
  bool is_sealable = false;  // sealing was allowed when the object was made
  bool shrink = false;
  bool grow = false;
  bool write = false;  // no new writable mapping (F_SEAL_FUTURE_WRITE) or none at all (F_SEAL_WRITE)
};

Seals read_seals(int fd) noexcept;
// Memory whose only lasting holders are descriptors, where a missing seal means that a peer may shrink it.
bool is_anonymous_memory(int fd) noexcept;
// Nothing when sealed, else the reason.
std::optional<std::string> seal_future_writes(int fd);
UniqueDescriptor reopen_read_only(int fd);

// True when a write to a hole of the file could fail for lack of space, which a mapping reports by SIGBUS.
bool is_storage_limited(int fd);
// Gives every page of the file its storage now; throws storage_full.
void reserve_storage(int fd, uint64_t bytes, const std::string& what);

// Touches every page for writing without changing it; throws out_of_memory.
void prefault_pages(std::byte* base, size_t bytes);
// Nothing when locked. When not `now`, pages are locked as they are touched, where the system can do that.
std::optional<std::string> lock_pages(std::byte* base, size_t bytes, bool now);
// Bytes of the range that are in memory.
uint64_t resident_bytes(std::byte* base, size_t bytes);

}  // namespace nautilus
