// A buffer of a Vulkan device, as callers see it.
#pragma once

#include <atomic>

#include "device/vulkan/memory.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

class VulkanQueue;

class VulkanBuffer final : public DeviceBuffer {
 public:
  // The queue is null on a device that only holds buffers. An empty reason: shared.
  VulkanBuffer(std::shared_ptr<VulkanGpu> gpu, std::shared_ptr<VulkanQueue> queue, std::unique_ptr<VulkanMemory> memory,
               bool is_writable, std::string reason);
  ~VulkanBuffer() override;
  VulkanBuffer(const VulkanBuffer&) = delete;
  VulkanBuffer& operator=(const VulkanBuffer&) = delete;

  uint64_t bytes() const noexcept override { return memory_->bytes(); }
  bool is_shared() const noexcept override { return reason_.empty(); }
  const std::string& reason() const noexcept override { return reason_; }
  bool is_writable() const noexcept override { return is_writable_; }
  const void* owner() const noexcept override { return gpu_.get(); }
  std::byte* host_address() const noexcept override { return memory_->host_address(); }
  Place place(uint64_t offset) const noexcept override;
  uint64_t stretch_bytes() const noexcept override { return memory_->stretch_bytes(); }

  const VulkanMemory& memory() const noexcept { return *memory_; }
  void use(DeviceTicket ticket) noexcept;

 private:
  std::shared_ptr<VulkanGpu> gpu_;
  std::shared_ptr<VulkanQueue> queue_;
  std::unique_ptr<VulkanMemory> memory_;
  bool is_writable_;
  std::string reason_;
  uint64_t number_;  // of the buffer in this process, where there are no addresses
  std::atomic<DeviceTicket> last_use_{0};
};

}  // namespace nautilus

#endif
