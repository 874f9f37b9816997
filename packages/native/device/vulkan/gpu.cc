// Vulkan 1.2 is the floor: its timeline semaphores are the tickets, its device addresses let one shader reach any byte
// of any buffer without descriptors or binding limits, and its 8-bit stores write odd ends without touching neighbours.
#include "device/vulkan/gpu.h"

#if NAUTILUS_HAS_VULKAN

#include <algorithm>
#include <bit>
#include <cstring>

namespace nautilus {
namespace {

std::optional<uint32_t> compute_family(const VulkanInstance& instance, VkPhysicalDevice physical) {
  uint32_t count = 0;
  instance.GetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  instance.GetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  for (uint32_t at = 0; at < count; ++at) {
    if ((families[at].queueFlags & VK_QUEUE_COMPUTE_BIT) != 0 && families[at].queueCount > 0) return at;
  }
  return std::nullopt;
}

bool has_extension(const VulkanInstance& instance, VkPhysicalDevice physical, const char* name) {
  uint32_t count = 0;
  if (instance.EnumerateDeviceExtensionProperties(physical, nullptr, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> found(count);
  if (instance.EnumerateDeviceExtensionProperties(physical, nullptr, &count, found.data()) < 0) return false;
  return std::any_of(found.begin(), found.end(),
                     [name](const auto& extension) { return std::strcmp(extension.extensionName, name) == 0; });
}

// Of the largest heap on the device, which is what buffers are made of.
void describe_working_set(const VulkanInstance& instance, VkPhysicalDevice physical, DeviceLimits& limits) {
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  VkPhysicalDeviceMemoryProperties2 memory{};
  memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  const bool has_budget = has_extension(instance, physical, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  if (has_budget) memory.pNext = &budget;
  instance.GetPhysicalDeviceMemoryProperties2(physical, &memory);
  for (uint32_t at = 0; at < memory.memoryProperties.memoryHeapCount; ++at) {
    const VkMemoryHeap& heap = memory.memoryProperties.memoryHeaps[at];
    if ((heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0) continue;
    const uint64_t bytes = has_budget ? budget.heapBudget[at] : heap.size;
    if (limits.working_set_bytes.value_or(0) < bytes) limits.working_set_bytes = bytes;
  }
  limits.working_set_source = !limits.working_set_bytes ? "the driver names no heap on the device"
                              : has_budget ? "VK_EXT_memory_budget, when the device was opened"
                                           : "size of the largest heap on the device";
}

}  // namespace

std::shared_ptr<VulkanGpu> VulkanGpu::open(std::shared_ptr<const VulkanInstance> instance, VkPhysicalDevice physical,
                                           size_t index, const VulkanOptions& options, std::string& why) {
  VkPhysicalDeviceProperties2 found{};
  found.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  instance->GetPhysicalDeviceProperties2(physical, &found);
  const std::string name = found.properties.deviceName;
  const auto family = compute_family(*instance, physical);
  const uint32_t version = found.properties.apiVersion;
  if (version < VK_API_VERSION_1_2) {
    why = name + ": Vulkan " + std::to_string(VK_API_VERSION_MAJOR(version)) + "." +
          std::to_string(VK_API_VERSION_MINOR(version)) + ", and 1.2 is needed";
    return nullptr;
  }
  if (!family) {
    why = name + ": has no compute queue";
    return nullptr;
  }
  auto gpu = std::make_shared<VulkanGpu>(std::move(instance));
  gpu->queue_family_ = *family;
  gpu->describe(physical, index, options);
  if (gpu->create_device(physical, why)) return gpu;
  why = name + ": " + why;
  return nullptr;
}

void VulkanGpu::describe(VkPhysicalDevice physical, size_t index, const VulkanOptions& options) {
  VkPhysicalDeviceMaintenance4Properties most_buffer{};
  most_buffer.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host{};
  host.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT;
  VkPhysicalDeviceVulkan11Properties most_memory{};
  most_memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
  VkPhysicalDeviceProperties2 found{};
  found.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  found.pNext = &most_memory;
  const bool can_import = has_extension(*instance_, physical, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
  const bool has_most = has_extension(*instance_, physical, VK_KHR_MAINTENANCE_4_EXTENSION_NAME);
  if (can_import) most_memory.pNext = &host;
  if (has_most) (can_import ? host.pNext : most_memory.pNext) = &most_buffer;
  instance_->GetPhysicalDeviceProperties2(physical, &found);

  VkPhysicalDeviceVulkan12Features features{};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  VkPhysicalDeviceFeatures2 all{};
  all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  all.pNext = &features;
  instance_->GetPhysicalDeviceFeatures2(physical, &all);
  has_addresses_ = features.bufferDeviceAddress != 0 && options.has_addresses;
  has_byte_storage_ = features.storageBuffer8BitAccess != 0;
  has_timeline_ = features.timelineSemaphore != 0;

  const VkPhysicalDeviceProperties& properties = found.properties;
  info_.id = "vulkan:" + std::to_string(index);
  info_.kind = "vulkan";
  info_.name = properties.deviceName;
  info_.is_software = properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
  info_.is_unified = info_.is_software || properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
  if (!has_addresses_) info_.compute_reason = "the driver has no buffer device addresses, which the shaders need";
  if (!has_byte_storage_) info_.compute_reason = "the driver has no 8-bit storage, which odd ends of ranges need";
  if (!has_timeline_) info_.compute_reason = "the driver has no timeline semaphores, which are the tickets";
  info_.can_compute = info_.compute_reason.empty();

  VkPhysicalDeviceMemoryProperties2 memory{};
  memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  instance_->GetPhysicalDeviceMemoryProperties2(physical, &memory);
  memory_ = memory.memoryProperties;
  describe_working_set(*instance_, physical, limits_);
  limits_.import_alignment_bytes = can_import ? std::max<uint64_t>(host.minImportedHostPointerAlignment, 1) : 1;
  limits_.most_buffer_bytes = most_memory.maxMemoryAllocationSize;
  if (has_most) limits_.most_buffer_bytes = std::min(limits_.most_buffer_bytes, most_buffer.maxBufferSize);
  most_piece_bytes_ = std::min(limits_.most_buffer_bytes, options.most_piece_bytes);
  most_piece_bytes_ -= most_piece_bytes_ % limits_.import_alignment_bytes;
  describe_import(physical, can_import, options);
}

void VulkanGpu::describe_import(VkPhysicalDevice physical, bool has_extension, const VulkanOptions& options) {
  if (!has_extension || !options.has_host_import) {
    import_refusal_ = "the driver has no VK_EXT_external_memory_host";
    return;
  }
  VkPhysicalDeviceExternalBufferInfo asked{};
  asked.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO;
  asked.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | (has_addresses_ ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0);
  asked.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  VkExternalBufferProperties answer{};
  answer.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES;
  instance_->GetPhysicalDeviceExternalBufferProperties(physical, &asked, &answer);
  const VkExternalMemoryFeatureFlags features = answer.externalMemoryProperties.externalMemoryFeatures;
  needs_dedicated_import_ = (features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
  if ((features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) == 0) {
    import_refusal_ = "the driver imports no host memory for storage buffers";
  }
}

bool VulkanGpu::create_device(VkPhysicalDevice physical, std::string& why) {
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = queue_family_;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  VkPhysicalDeviceVulkan12Features features{};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  features.bufferDeviceAddress = has_addresses_;
  features.storageBuffer8BitAccess = has_byte_storage_;
  features.timelineSemaphore = has_timeline_;
  const char* extension = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  VkDeviceCreateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  request.pNext = &features;
  request.queueCreateInfoCount = 1;
  request.pQueueCreateInfos = &queue;
  request.enabledExtensionCount = import_refusal_.empty() ? 1 : 0;
  request.ppEnabledExtensionNames = &extension;
  const VkResult result = instance_->CreateDevice(physical, &request, nullptr, &device_);
  if (result != VK_SUCCESS) {
    device_ = VK_NULL_HANDLE;
    why = "vkCreateDevice: " + vulkan_result_text(result);
    return false;
  }
  if (!api_.load(*instance_, device_, why)) return false;
  if (import_refusal_.empty() && api_.GetMemoryHostPointerPropertiesEXT == nullptr) {
    import_refusal_ = "the driver lacks vkGetMemoryHostPointerPropertiesEXT";
  }
  api_.GetDeviceQueue(device_, queue_family_, 0, &queue_);
  return true;
}

VulkanGpu::~VulkanGpu() {
  if (device_ != VK_NULL_HANDLE && api_.DestroyDevice != nullptr) api_.DestroyDevice(device_, nullptr);
}

std::vector<uint32_t> VulkanGpu::memory_types(uint32_t allowed, VkMemoryPropertyFlags needed,
                                              VkMemoryPropertyFlags wished) const {
  std::vector<uint32_t> types;
  for (uint32_t at = 0; at < memory_.memoryTypeCount; ++at) {
    const VkMemoryPropertyFlags has = memory_.memoryTypes[at].propertyFlags;
    if ((allowed >> at & 1) != 0 && (has & needed) == needed) types.push_back(at);
  }
  const auto wishes = [&](uint32_t type) { return std::popcount(memory_.memoryTypes[type].propertyFlags & wished); };
  std::stable_sort(types.begin(), types.end(), [&](uint32_t a, uint32_t b) { return wishes(a) > wishes(b); });
  return types;
}

DeviceResult VulkanGpu::failure(VkResult result, const char* call) {
  const std::lock_guard guard(lock_);
  const std::string reason = std::string(call) + ": " + vulkan_result_text(result);
  if (!health_.is_usable) return {DeviceStatus::kLost, health_.reason};
  if (result != VK_ERROR_DEVICE_LOST) return {DeviceStatus::kFailed, reason};
  health_.is_usable = false;
  health_.reason = reason;
  return {DeviceStatus::kLost, reason};
}

std::string VulkanGpu::lost_reason() const { return health().reason; }

DeviceHealth VulkanGpu::health() const {
  const std::lock_guard guard(lock_);
  return health_;
}

void VulkanGpu::count_submitted() {
  const std::lock_guard guard(lock_);
  ++health_.submitted;
}

void VulkanGpu::count_failed() {
  const std::lock_guard guard(lock_);
  ++health_.failed;
}

}  // namespace nautilus

#endif
