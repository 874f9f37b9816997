// Keeps a device busy from several threads, comparing every result with a model in the host's memory, while segments
// come and go at the rate of leases: the load under which drivers of the past have panicked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "device/device.h"

namespace nautilus {

struct SoakResult {
  uint64_t operations = 0;
  uint64_t bytes = 0;
  uint64_t imports = 0;     // of segments that were dropped again
  uint64_t mismatches = 0;  // with the model
  uint64_t failures = 0;    // that the device reported
  std::string first;        // of either; empty when there is none
};

// Every thread asks `goes_on` between operations, and stops when it says no.
SoakResult soak(Device& device, uint64_t seed, const std::function<bool()>& goes_on);

}  // namespace nautilus
