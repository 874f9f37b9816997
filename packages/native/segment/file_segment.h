// Segments in files of a private directory: what has to outlive its last holder lies there.
#pragma once

#include <cstdint>
#include <string>

#include "os/unique_descriptor.h"

namespace nautilus {

// The file must not exist; mode 0600, all storage reserved. Nothing is left behind on failure.
UniqueDescriptor create_file_segment(const std::string& path, uint64_t bytes);
UniqueDescriptor open_file_segment(const std::string& path, bool writable);

}  // namespace nautilus
