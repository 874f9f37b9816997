// An exclusive lock that the kernel drops when its holder dies, whatever PID namespace it lived in.
#pragma once

#include <optional>
#include <string>

#include "os/unique_descriptor.h"

namespace nautilus {

// Nothing when somebody else holds it. Never waits.
std::optional<UniqueDescriptor> try_lock_file(const std::string& path);

}  // namespace nautilus
