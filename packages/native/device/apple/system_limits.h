// What macOS itself says about wired memory: settings of its GPU driver, and how much is wired by everybody.
#pragma once

#include <cstdint>
#include <optional>

namespace nautilus {

// Nothing where the system has no such number.
std::optional<uint64_t> sysctl_value(const char* name) noexcept;

// Of all processes and the kernel; the GPU's share is in it. 0 when the system does not say.
uint64_t wired_bytes_of_host() noexcept;

uint64_t vm_page_bytes() noexcept;

}  // namespace nautilus
