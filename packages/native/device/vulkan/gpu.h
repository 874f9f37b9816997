// One physical device, opened: what it is, what it can, its logical device with one compute queue, and whether it is
// lost. Everything else of this folder holds a share of it and is destroyed before it.
#pragma once

#include <mutex>

#include "device/device.h"
#include "device/fault_plan.h"
#include "device/vulkan/loader.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

// For tests: what a lesser driver would say.
struct VulkanOptions {
  uint64_t most_piece_bytes = UINT64_MAX;  // of an import
  bool has_host_import = true;
  bool has_addresses = true;
};

class VulkanGpu {
 public:
  // Null, and `why`, when it has no compute queue, is too old, or the driver refuses.
  static std::shared_ptr<VulkanGpu> open(std::shared_ptr<const VulkanInstance> instance, VkPhysicalDevice physical,
                                         size_t index, const VulkanOptions& options, std::string& why);
  explicit VulkanGpu(std::shared_ptr<const VulkanInstance> instance) : instance_(std::move(instance)) {}
  ~VulkanGpu();
  VulkanGpu(const VulkanGpu&) = delete;
  VulkanGpu& operator=(const VulkanGpu&) = delete;

  const DeviceInfo& info() const noexcept { return info_; }
  const DeviceLimits& limits() const noexcept { return limits_; }
  const VulkanDeviceApi& vk() const noexcept { return api_; }
  VkDevice device() const noexcept { return device_; }
  VkQueue queue() const noexcept { return queue_; }
  uint32_t queue_family() const noexcept { return queue_family_; }
  bool has_addresses() const noexcept { return has_addresses_; }
  // Why memory of the host cannot be imported in place; empty when it can.
  const std::string& import_refusal() const noexcept { return import_refusal_; }
  bool needs_dedicated_import() const noexcept { return needs_dedicated_import_; }
  uint64_t most_piece_bytes() const noexcept { return most_piece_bytes_; }
  // Types of memory that have these properties and are allowed, those with more of the wished ones first.
  std::vector<uint32_t> memory_types(uint32_t allowed, VkMemoryPropertyFlags needed, VkMemoryPropertyFlags wished) const;

  FaultPlan& faults() noexcept { return faults_; }
  // What the driver's refusal means; a lost device is lost for all from here on.
  DeviceResult failure(VkResult result, const char* call);
  std::string lost_reason() const;
  DeviceHealth health() const;
  void count_submitted();
  void count_failed();

 private:
  void describe(VkPhysicalDevice physical, size_t index, const VulkanOptions& options);
  void describe_import(VkPhysicalDevice physical, bool has_extension, const VulkanOptions& options);
  bool create_device(VkPhysicalDevice physical, std::string& why);

  std::shared_ptr<const VulkanInstance> instance_;
  VulkanDeviceApi api_;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t queue_family_ = 0;
  VkPhysicalDeviceMemoryProperties memory_{};
  DeviceInfo info_;
  DeviceLimits limits_;
  bool has_addresses_ = false;
  bool has_byte_storage_ = false;
  bool has_timeline_ = false;
  bool needs_dedicated_import_ = false;
  std::string import_refusal_;
  uint64_t most_piece_bytes_ = 0;
  FaultPlan faults_;
  mutable std::mutex lock_;
  DeviceHealth health_;
};

}  // namespace nautilus

#endif
