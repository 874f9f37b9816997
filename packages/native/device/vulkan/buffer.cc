// Imported memory may be unmapped as soon as its buffer is gone, so the destructor waits for the device.
#include "device/vulkan/buffer.h"

#if NAUTILUS_HAS_VULKAN

#include "device/vulkan/queue.h"

namespace nautilus {
namespace {

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

VulkanBuffer::VulkanBuffer(std::shared_ptr<VulkanGpu> gpu, std::shared_ptr<VulkanQueue> queue,
                           std::unique_ptr<VulkanMemory> memory, bool is_writable, std::string reason)
    : gpu_(std::move(gpu)),
      queue_(std::move(queue)),
      memory_(std::move(memory)),
      is_writable_(is_writable),
      reason_(std::move(reason)),
      number_(next_number()) {}

VulkanBuffer::~VulkanBuffer() {
  if (queue_ != nullptr) queue_->wait_until_past(last_use_);
}

DeviceBuffer::Place VulkanBuffer::place(uint64_t offset) const noexcept {
  if (!gpu_->has_addresses()) return {number_, offset, false};
  const uint64_t inside = offset % memory_->stretch_bytes();
  return {memory_->address(offset) - inside, inside, true};
}

void VulkanBuffer::use(DeviceTicket ticket) noexcept {
  DeviceTicket before = last_use_;
  while (before < ticket && !last_use_.compare_exchange_weak(before, ticket)) continue;
}

}  // namespace nautilus

#endif
