// Vulkan behind the interface of all devices: imports are tried in place first and fall back to an honest copy.
#include "device/vulkan/vulkan_device.h"

#include <cstring>

#include "device/request.h"
#if NAUTILUS_HAS_VULKAN
#include "device/vulkan/queue.h"
#endif

namespace nautilus {

#if NAUTILUS_HAS_VULKAN

namespace {

class VulkanDevice final : public Device {
 public:
  // The queue is null on a device that only holds buffers.
  VulkanDevice(std::shared_ptr<VulkanGpu> gpu, std::shared_ptr<VulkanQueue> queue)
      : gpu_(std::move(gpu)), queue_(std::move(queue)) {}

  const DeviceInfo& info() const noexcept override { return gpu_->info(); }
  const DeviceLimits& limits() const noexcept override { return gpu_->limits(); }
  DeviceHealth health() const override { return gpu_->health(); }
  void inject(InjectedFault fault, uint32_t after) override { gpu_->faults().plan(fault, after); }

  std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) override {
    why = memory.empty() ? "there are no bytes to import" : gpu_->lost_reason();
    if (!why.empty()) return nullptr;
    std::unique_ptr<VulkanMemory> made = VulkanMemory::import(gpu_, memory, why);
    std::string reason;
    if (made == nullptr) {
      reason = why;
      why.clear();
      made = VulkanMemory::allocate(gpu_, memory.size(), why);
      if (made == nullptr) {
        why = "in place: " + reason + "; as a copy: " + why;
        return nullptr;
      }
      std::memcpy(made->host_address(), memory.data(), memory.size());
    }
    return std::make_unique<VulkanBuffer>(gpu_, queue_, std::move(made), is_writable, std::move(reason));
  }

  std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) override {
    why = gpu_->lost_reason();
    if (!why.empty()) return nullptr;
    std::unique_ptr<VulkanMemory> made = VulkanMemory::allocate(gpu_, bytes, why);
    if (made == nullptr) return nullptr;
    return std::make_unique<VulkanBuffer>(gpu_, queue_, std::move(made), true, "");
  }

  Submitted submit(const Operation& operation) override {
    if (const std::string lost = gpu_->lost_reason(); !lost.empty()) return {0, {DeviceStatus::kLost, lost}};
    if (queue_ == nullptr) return {0, {DeviceStatus::kRefused, gpu_->info().compute_reason}};
    if (const auto refusal = refusal_of(operation, gpu_.get())) return {0, {DeviceStatus::kRefused, *refusal}};
    return queue_->submit(operation);
  }

  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms) override {
    if (queue_ != nullptr) return queue_->wait(ticket, timeout_ms);
    return {DeviceStatus::kRefused, gpu_->info().compute_reason};
  }

 private:
  std::shared_ptr<VulkanGpu> gpu_;
  std::shared_ptr<VulkanQueue> queue_;
};

void append_reason(std::string& reasons, const std::string& reason) {
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

}  // namespace

DeviceKind::Found detect_vulkan_as(const VulkanOptions& options) {
  DeviceKind::Found found;
  const std::shared_ptr<const VulkanInstance> instance = VulkanInstance::open(found.reason);
  if (instance == nullptr) return found;
  uint32_t count = 0;
  VkResult result = instance->EnumeratePhysicalDevices(instance->handle, &count, nullptr);
  std::vector<VkPhysicalDevice> physical(count);
  if (result == VK_SUCCESS) result = instance->EnumeratePhysicalDevices(instance->handle, &count, physical.data());
  physical.resize(count);
  if (result < 0) {
    found.reason = "vkEnumeratePhysicalDevices: " + vulkan_result_text(result);
    return found;
  }
  for (size_t index = 0; index < physical.size(); ++index) {
    std::string why;
    std::shared_ptr<VulkanGpu> gpu = VulkanGpu::open(instance, physical[index], index, options, why);
    std::shared_ptr<VulkanQueue> queue;
    if (gpu != nullptr && gpu->info().can_compute) {
      queue = VulkanQueue::create(gpu, why);
      if (queue == nullptr) why = gpu->info().name + ": " + why;
    }
    if (why.empty()) {
      found.devices.push_back(std::make_unique<VulkanDevice>(std::move(gpu), std::move(queue)));
    } else {
      append_reason(found.reason, why);
    }
  }
  if (physical.empty()) found.reason = "the Vulkan loader knows no device; is a driver installed?";
  return found;
}

DeviceKind::Found detect_vulkan() { return detect_vulkan_as({}); }

#else

DeviceKind::Found detect_vulkan() {
  DeviceKind::Found found;
  found.reason = "built without the Vulkan headers; install them (libvulkan-dev) and build again";
  return found;
}

#endif

}  // namespace nautilus
