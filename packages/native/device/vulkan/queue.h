// The one queue of a device. A ticket is a value of its timeline semaphore; command buffers and places for results are
// taken from a free list and given back when their ticket has been waited for, so a steady state makes no object.
#pragma once

#include <unordered_map>

#include "device/vulkan/buffer.h"
#include "device/vulkan/kernels.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

class VulkanQueue {
 public:
  // Null, and `why`.
  static std::shared_ptr<VulkanQueue> create(std::shared_ptr<VulkanGpu> gpu, std::string& why);
  explicit VulkanQueue(std::shared_ptr<VulkanGpu> gpu) : gpu_(std::move(gpu)) {}
  // Waits for what is in flight.
  ~VulkanQueue();
  VulkanQueue(const VulkanQueue&) = delete;
  VulkanQueue& operator=(const VulkanQueue&) = delete;

  // An operation that refusal_of() has let through.
  Submitted submit(const Operation& operation);
  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms);
  // Until the device cannot touch anything any more for the sake of this ticket.
  void wait_until_past(DeviceTicket ticket);

 private:
  struct Slot {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    uint64_t results = 0;  // address of kMostGroups words
    const uint32_t* host_results = nullptr;
    std::vector<ChecksumPart> parts;  // of a checksum
    bool is_lost_at_wait = false;
  };

  bool grow(std::string& why);
  DeviceResult record(const Operation& operation, Slot& slot);
  DeviceResult hand_over(Slot& slot);
  DeviceResult once_idle(DeviceResult result);
  void give_back(Slot* slot);

  std::shared_ptr<VulkanGpu> gpu_;
  std::unique_ptr<VulkanKernels> kernels_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  std::mutex lock_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<VulkanMemory>> result_memory_;
  std::vector<Slot*> free_;
  std::unordered_map<DeviceTicket, Slot*> in_flight_;
  DeviceTicket last_ = 0;
};

}  // namespace nautilus

#endif
