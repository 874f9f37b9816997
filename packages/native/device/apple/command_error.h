// What an error of a Metal command buffer means for the device: whether it goes on.
#pragma once

#include "device/device.h"

namespace nautilus {

struct CommandError {
  DeviceStatus status;
  const char* meaning;
};

// Codes of MTLCommandBufferErrorDomain, as Apple documents them.
constexpr CommandError command_error_of(long code) noexcept {
  switch (code) {
    case 1: return {DeviceStatus::kFailed, "an internal error of the driver"};
    case 2: return {DeviceStatus::kFailed, "it ran for too long and was stopped"};
    case 3: return {DeviceStatus::kFailed, "a page fault on the GPU"};
    case 4: return {DeviceStatus::kLost, "the system took the GPU from this process after too many hangs"};
    case 7: return {DeviceStatus::kLost, "this process may not use the GPU"};
    case 8: return {DeviceStatus::kFailed, "no memory for the GPU; less has to be resident at once"};
    case 9: return {DeviceStatus::kFailed, "it used a resource that is gone"};
    case 11: return {DeviceStatus::kLost, "the GPU was removed"};
    case 12: return {DeviceStatus::kFailed, "the stack of a kernel overflowed"};
    default: return {DeviceStatus::kFailed, "an error that Apple's documentation does not name"};
  }
}

}  // namespace nautilus
