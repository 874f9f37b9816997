// A write from JavaScript into a read-only mapping ends the process with a bare SIGSEGV. This says why, in one
// line on stderr, before the process dies as it would have done anyway.
#pragma once

#include <cstddef>

namespace nautilus {

// Installs the handler at the first call. Any thread.
void guard_read_only(const std::byte* base, size_t bytes);
void unguard_read_only(const std::byte* base) noexcept;

}  // namespace nautilus
