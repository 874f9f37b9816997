// Submissions start with a barrier against all earlier ones, so operations take effect in order on a queue that may
// overlap them.
#include "device/vulkan/queue.h"

#if NAUTILUS_HAS_VULKAN

#include <algorithm>

#include "device/crc32c.h"
#include "device/vulkan/record.h"

namespace nautilus {
namespace {

constexpr uint32_t kSlotsAtOnce = 32;
constexpr uint64_t kResultBytes = VulkanKernels::kMostGroups * sizeof(uint32_t);
constexpr uint64_t kLongestWaitMs = 86'400'000;
constexpr uint64_t kNanosecondsPerMs = 1'000'000;

const VulkanMemory& memory_of(const Range& range) { return static_cast<VulkanBuffer*>(range.buffer)->memory(); }

uint32_t checksum_of(std::span<const ChecksumPart> parts, const uint32_t* results) {
  uint32_t remainder = 0;
  uint64_t bytes = 0;
  for (const ChecksumPart& part : parts) {
    remainder = crc32c_shift(remainder, part.bytes) ^ join_groups(part, results);
    results += part.groups;
    bytes += part.bytes;
  }
  return crc32c_of_register(remainder, bytes);
}

}  // namespace

std::shared_ptr<VulkanQueue> VulkanQueue::create(std::shared_ptr<VulkanGpu> gpu, std::string& why) {
  auto queue = std::make_shared<VulkanQueue>(gpu);
  queue->kernels_ = VulkanKernels::create(gpu, why);
  if (queue->kernels_ == nullptr) return nullptr;
  VkCommandPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = gpu->queue_family();
  VkResult result = gpu->vk().CreateCommandPool(gpu->device(), &pool, nullptr, &queue->pool_);
  if (result != VK_SUCCESS) {
    queue->pool_ = VK_NULL_HANDLE;
    why = gpu->failure(result, "vkCreateCommandPool").reason;
    return nullptr;
  }
  VkSemaphoreTypeCreateInfo type{};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore{};
  semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  semaphore.pNext = &type;
  result = gpu->vk().CreateSemaphore(gpu->device(), &semaphore, nullptr, &queue->timeline_);
  if (result != VK_SUCCESS) {
    queue->timeline_ = VK_NULL_HANDLE;
    why = gpu->failure(result, "vkCreateSemaphore").reason;
    return nullptr;
  }
  return queue;
}

VulkanQueue::~VulkanQueue() {
  const VulkanDeviceApi& vk = gpu_->vk();
  // On a lost device this answers so, and nothing runs any more either way.
  static_cast<void>(vk.DeviceWaitIdle(gpu_->device()));
  vk.DestroySemaphore(gpu_->device(), timeline_, nullptr);
  vk.DestroyCommandPool(gpu_->device(), pool_, nullptr);
}

bool VulkanQueue::grow(std::string& why) {
  std::unique_ptr<VulkanMemory> memory = VulkanMemory::allocate(gpu_, kSlotsAtOnce * kResultBytes, why);
  if (memory == nullptr) return false;
  VkCommandBuffer commands[kSlotsAtOnce] = {};
  VkCommandBufferAllocateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  request.commandPool = pool_;
  request.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  request.commandBufferCount = kSlotsAtOnce;
  const VkResult result = gpu_->vk().AllocateCommandBuffers(gpu_->device(), &request, commands);
  if (result != VK_SUCCESS) {
    why = gpu_->failure(result, "vkAllocateCommandBuffers").reason;
    return false;
  }
  for (uint32_t at = 0; at < kSlotsAtOnce; ++at) {
    auto slot = std::make_unique<Slot>();
    slot->commands = commands[at];
    slot->results = memory->address(at * kResultBytes);
    slot->host_results = reinterpret_cast<const uint32_t*>(memory->host_address() + at * kResultBytes);
    free_.push_back(slot.get());
    slots_.push_back(std::move(slot));
  }
  result_memory_.push_back(std::move(memory));
  return true;
}

void VulkanQueue::give_back(Slot* slot) {
  slot->parts.clear();
  slot->is_lost_at_wait = false;
  free_.push_back(slot);
}

DeviceResult VulkanQueue::record(const Operation& operation, Slot& slot) {
  const VulkanDeviceApi& vk = gpu_->vk();
  VkCommandBufferBeginInfo begin{};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  VkResult result = vk.BeginCommandBuffer(slot.commands, &begin);  // resets it
  if (result != VK_SUCCESS) return gpu_->failure(result, "vkBeginCommandBuffer");
  kernels_->barrier(slot.commands);
  const Range& target = operation.target;
  const VulkanMemory& memory = memory_of(target);
  std::string why;
  switch (operation.kind) {
    case Operation::Kind::kFill:
    case Operation::Kind::kScrub:
      record_fill(*kernels_, slot.commands, memory, target.offset, target.bytes,
                  operation.kind == Operation::Kind::kFill ? operation.value : 0);
      break;
    case Operation::Kind::kCopy:
      record_copy(*kernels_, slot.commands, memory, target.offset, memory_of(operation.source), operation.source.offset,
                  target.bytes);
      break;
    case Operation::Kind::kMove: record_moves(*kernels_, slot.commands, memory, operation.moves); break;
    case Operation::Kind::kChecksum:
      record_checksum(*kernels_, slot.commands, memory, target.offset, target.bytes, slot.results, slot.parts, why);
      break;
  }
  kernels_->barrier_for_host(slot.commands);
  result = vk.EndCommandBuffer(slot.commands);
  if (!why.empty()) return {DeviceStatus::kRefused, why};
  return result == VK_SUCCESS ? DeviceResult{} : gpu_->failure(result, "vkEndCommandBuffer");
}

DeviceResult VulkanQueue::hand_over(Slot& slot) {
  const uint64_t value = last_ + 1;
  VkTimelineSemaphoreSubmitInfo values{};
  values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  values.signalSemaphoreValueCount = 1;
  values.pSignalSemaphoreValues = &value;
  VkSubmitInfo request{};
  request.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  request.pNext = &values;
  request.commandBufferCount = 1;
  request.pCommandBuffers = &slot.commands;
  request.signalSemaphoreCount = 1;
  request.pSignalSemaphores = &timeline_;
  VkResult result = VK_SUCCESS;
  if (gpu_->faults().strikes(InjectedFault::kLostAtSubmit)) {
    result = VK_ERROR_DEVICE_LOST;
  } else if (gpu_->faults().strikes(InjectedFault::kFailedAtSubmit)) {
    result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  } else {
    result = gpu_->vk().QueueSubmit(gpu_->queue(), 1, &request, VK_NULL_HANDLE);
  }
  return result == VK_SUCCESS ? DeviceResult{} : gpu_->failure(result, "vkQueueSubmit");
}

// Under the lock, so that nobody submits meanwhile. What was handed over before may still run when a loss or failure is
// told, and would then write memory whose owner believes that it is left alone.
DeviceResult VulkanQueue::once_idle(DeviceResult result) {
  static_cast<void>(gpu_->vk().DeviceWaitIdle(gpu_->device()));
  return result;
}

Submitted VulkanQueue::submit(const Operation& operation) {
  // Before the lock, which whoever waits for the last work of a lost device holds for long.
  if (const std::string lost = gpu_->lost_reason(); !lost.empty()) return {0, {DeviceStatus::kLost, lost}};
  const std::lock_guard guard(lock_);
  if (const std::string lost = gpu_->lost_reason(); !lost.empty()) return {0, {DeviceStatus::kLost, lost}};
  std::string why;
  if (free_.empty() && !grow(why)) {
    gpu_->count_failed();
    const bool is_lost = !gpu_->lost_reason().empty();
    return {0, {is_lost ? DeviceStatus::kLost : DeviceStatus::kFailed, why}};
  }
  Slot* slot = free_.back();
  free_.pop_back();
  DeviceResult result = record(operation, *slot);
  if (result.status == DeviceStatus::kDone) result = hand_over(*slot);
  if (result.status != DeviceStatus::kDone) {
    give_back(slot);
    if (result.status != DeviceStatus::kRefused) gpu_->count_failed();
    return {0, result};
  }
  slot->is_lost_at_wait = gpu_->faults().strikes(InjectedFault::kLostAtWait);
  const DeviceTicket ticket = ++last_;
  in_flight_.emplace(ticket, slot);
  for (const Range* range : {&operation.target, &operation.source}) {
    if (range->buffer != nullptr && (range == &operation.target || operation.kind == Operation::Kind::kCopy)) {
      static_cast<VulkanBuffer*>(range->buffer)->use(ticket);
    }
  }
  gpu_->count_submitted();
  return {ticket, {}};
}

DeviceResult VulkanQueue::wait(DeviceTicket ticket, uint64_t timeout_ms) {
  const DeviceResult unknown{DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " is not known (any more)"};
  VkResult result = VK_SUCCESS;
  {
    const std::lock_guard guard(lock_);
    const auto found = in_flight_.find(ticket);
    if (const std::string lost = gpu_->lost_reason(); !lost.empty()) {
      return found == in_flight_.end() ? DeviceResult{DeviceStatus::kLost, lost}
                                       : once_idle({DeviceStatus::kLost, lost});
    }
    if (found == in_flight_.end()) return unknown;
    if (found->second->is_lost_at_wait) result = VK_ERROR_DEVICE_LOST;
  }
  if (result == VK_SUCCESS) {
    VkSemaphoreWaitInfo asked{};
    asked.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
    asked.semaphoreCount = 1;
    asked.pSemaphores = &timeline_;
    asked.pValues = &ticket;
    result = gpu_->vk().WaitSemaphores(gpu_->device(), &asked,
                                       std::min(timeout_ms, kLongestWaitMs) * kNanosecondsPerMs);
  }
  if (result == VK_TIMEOUT) return {DeviceStatus::kTimedOut, "the operation goes on"};
  const std::lock_guard guard(lock_);
  if (result != VK_SUCCESS) {
    gpu_->count_failed();
    return once_idle(gpu_->failure(result, "vkWaitSemaphores"));
  }
  if (const std::string lost = gpu_->lost_reason(); !lost.empty()) return once_idle({DeviceStatus::kLost, lost});
  const auto found = in_flight_.find(ticket);
  if (found == in_flight_.end()) return unknown;
  Slot* slot = found->second;
  DeviceResult done;
  done.checksum = checksum_of(slot->parts, slot->host_results);
  in_flight_.erase(found);
  give_back(slot);
  return done;
}

void VulkanQueue::wait_until_past(DeviceTicket ticket) {
  if (ticket == 0) return;
  VkSemaphoreWaitInfo asked{};
  asked.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  asked.semaphoreCount = 1;
  asked.pSemaphores = &timeline_;
  asked.pValues = &ticket;
  const VkResult result = gpu_->vk().WaitSemaphores(gpu_->device(), &asked, UINT64_MAX);
  // A lost device touches nothing any more; any other answer leaves the whole queue to be waited for.
  if (result == VK_SUCCESS) return;
  static_cast<void>(gpu_->failure(result, "vkWaitSemaphores"));
  const std::lock_guard guard(lock_);  // nobody may submit meanwhile
  static_cast<void>(gpu_->vk().DeviceWaitIdle(gpu_->device()));
}

}  // namespace nautilus

#endif
