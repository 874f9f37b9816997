// Every lease is a descriptor, and the soft limit of open files is often 1024.
#pragma once

#include <cstdint>

namespace nautilus {

struct DescriptorLimit {
  uint64_t soft;
  uint64_t hard;
};

// Raises soft to hard and returns what holds afterwards.
DescriptorLimit raise_descriptor_limit();

}  // namespace nautilus
