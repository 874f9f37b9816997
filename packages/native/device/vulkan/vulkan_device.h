// Detection with the abilities of a lesser driver, so that tests reach the paths that the drivers here do not need.
#pragma once

#include "device/kinds.h"
#include "device/vulkan/gpu.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

DeviceKind::Found detect_vulkan_as(const VulkanOptions& options);

}  // namespace nautilus

#endif
