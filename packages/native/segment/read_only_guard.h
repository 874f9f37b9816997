// A fault in a mapping that others own ends the process with a bare SIGSEGV (a write from JavaScript into a read-only
// mapping) or SIGBUS (pages that are gone). This says why, in one line on stderr, before the process dies as it would
// have done anyway.
#pragma once

#include <cstddef>
#include <string_view>

namespace nautilus {

// Installs the handler at the first call. Any thread.
void guard_read_only(const std::byte* base, size_t bytes);
// The same for a mapped file, writable or not; the line names it.
void guard_file(const std::byte* base, size_t bytes, std::string_view path);
void unguard(const std::byte* base) noexcept;

}  // namespace nautilus
