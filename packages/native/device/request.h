// What no device is asked to do, checked in one place for all of them before a driver sees the request.
#pragma once

#include <optional>

#include "device/device.h"

namespace nautilus {

// Why the operation cannot be; nothing when it can. `owner` is that of the device's own buffers.
std::optional<std::string> refusal_of(const Operation& operation, const void* owner);

// How many bytes the operation writes, or reads when it is a checksum.
uint64_t bytes_of(const Operation& operation) noexcept;

}  // namespace nautilus
