// The Vulkan loader, opened at run time: functions of an instance and of a device as tables of pointers.
#pragma once

#include <memory>
#include <string>

#include "device/vulkan/api.h"

#if NAUTILUS_HAS_VULKAN

// X-macros: each name is written once and gets its type from the headers.
#define NAUTILUS_VULKAN_INSTANCE_FUNCTIONS(X) \
  X(CreateDevice)                             \
  X(DestroyInstance)                          \
  X(EnumerateDeviceExtensionProperties)       \
  X(EnumeratePhysicalDevices)                 \
  X(GetDeviceProcAddr)                        \
  X(GetPhysicalDeviceExternalBufferProperties) \
  X(GetPhysicalDeviceFeatures2)               \
  X(GetPhysicalDeviceMemoryProperties2)       \
  X(GetPhysicalDeviceProperties2)             \
  X(GetPhysicalDeviceQueueFamilyProperties)

#define NAUTILUS_VULKAN_DEVICE_FUNCTIONS(X) \
  X(AllocateCommandBuffers)                 \
  X(AllocateMemory)                         \
  X(BeginCommandBuffer)                     \
  X(BindBufferMemory)                       \
  X(CmdBindPipeline)                        \
  X(CmdDispatch)                            \
  X(CmdPipelineBarrier)                     \
  X(CmdPushConstants)                       \
  X(CreateBuffer)                           \
  X(CreateCommandPool)                      \
  X(CreateComputePipelines)                 \
  X(CreatePipelineLayout)                   \
  X(CreateSemaphore)                        \
  X(CreateShaderModule)                     \
  X(DestroyBuffer)                          \
  X(DestroyCommandPool)                     \
  X(DestroyDevice)                          \
  X(DestroyPipeline)                        \
  X(DestroyPipelineLayout)                  \
  X(DestroySemaphore)                       \
  X(DestroyShaderModule)                    \
  X(DeviceWaitIdle)                         \
  X(EndCommandBuffer)                       \
  X(FreeMemory)                             \
  X(GetBufferDeviceAddress)                 \
  X(GetBufferMemoryRequirements)            \
  X(GetDeviceQueue)                         \
  X(MapMemory)                              \
  X(QueueSubmit)                            \
  X(WaitSemaphores)

namespace nautilus {

struct VulkanInstance {
  // Null, and `why`.
  static std::shared_ptr<const VulkanInstance> open(std::string& why);
  VulkanInstance() = default;
  ~VulkanInstance();
  VulkanInstance(const VulkanInstance&) = delete;
  VulkanInstance& operator=(const VulkanInstance&) = delete;

  VkInstance handle = VK_NULL_HANDLE;
#define NAUTILUS_DECLARE(name) PFN_vk##name name = nullptr;
  NAUTILUS_VULKAN_INSTANCE_FUNCTIONS(NAUTILUS_DECLARE)
};

struct VulkanDeviceApi {
  // False, and `why`, when the driver lacks one of them.
  bool load(const VulkanInstance& instance, VkDevice device, std::string& why);

  NAUTILUS_VULKAN_DEVICE_FUNCTIONS(NAUTILUS_DECLARE)
  // Of an extension, hence null where it is missing.
  NAUTILUS_DECLARE(GetMemoryHostPointerPropertiesEXT)
#undef NAUTILUS_DECLARE
};

// "VK_ERROR_DEVICE_LOST (-4)"
std::string vulkan_result_text(VkResult result);

}  // namespace nautilus

#endif
