// The Vulkan headers, without prototypes: every function is looked up at run time, so that the addon loads on machines
// without Vulkan. Without the headers the build works too, and the kind says that it was left out.
#pragma once

#if __has_include(<vulkan/vulkan_core.h>)
#define NAUTILUS_HAS_VULKAN 1
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>
#else
#define NAUTILUS_HAS_VULKAN 0
#endif
