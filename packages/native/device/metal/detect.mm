// No Mac has compiled or run this yet; only the syntax check has seen it. Finds GPUs, and lists only those that wrapped
// a page and ran a kernel on it: virtual machines offer GPUs that do neither.
#import <Foundation/Foundation.h>
#import <Metal/Metal.h>
#include <sys/mman.h>

#include "device/apple/system_limits.h"
#include "device/kinds.h"
#include "device/metal/encode.h"
#include "device/metal/metal_device.h"

namespace nautilus {
namespace {

constexpr uint64_t kProofTimeoutMs = 10'000;
// Submitting waits when so many are under way; the default of 64 is soon reached by compaction.
constexpr NSUInteger kMostCommandBuffers = 1024;

// Empty when a page of ours, filled by the GPU, holds what was asked for.
std::string why_not_usable(MetalDevice& device) {
  const uint64_t bytes = vm_page_bytes();
  void* const page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANON | MAP_SHARED, -1, 0);
  if (page == MAP_FAILED) return "no page to try it with";
  std::string why;
  {
    const auto buffer = device.import({static_cast<std::byte*>(page), bytes}, true, why);
    if (buffer != nullptr && !buffer->is_shared()) why = buffer->reason();
    if (why.empty()) {
      Operation operation;
      operation.target = {buffer.get(), 1, bytes - 2};
      operation.value = 0xA5;
      const Submitted submitted = device.submit(operation);
      const DeviceResult result =
          submitted.ticket == 0 ? submitted.refusal : device.wait(submitted.ticket, kProofTimeoutMs);
      const auto* seen = static_cast<const uint8_t*>(page);
      if (result.status != DeviceStatus::kDone) {
        why = "a first fill: " + result.reason;
      } else if (seen[0] != 0 || seen[1] != 0xA5 || seen[bytes - 2] != 0xA5 || seen[bytes - 1] != 0) {
        why = "a first fill did not reach the host's memory as it should";
      }
    }
  }
  ::munmap(page, bytes);
  return why;
}

std::unique_ptr<MetalDevice> open(id<MTLDevice> gpu, size_t number, std::string& why) {
  if ([gpu.name containsString:@"Paravirtual"]) {
    why = "a virtual GPU of a hosted machine, which wraps no memory";
    return nullptr;
  }
  id<MTLCommandQueue> queue = [gpu newCommandQueueWithMaxCommandBufferCount:kMostCommandBuffers];
  const WorkingSet working_set = working_set_of(gpu.recommendedMaxWorkingSetSize,
                                                sysctl_value("iogpu.wired_limit_mb"), sysctl_value("iogpu.rsrc_limit"));
  // Without a recommendation the host's memory bounds what is wired.
  const uint64_t most_wired = working_set.bytes.value_or(sysctl_value("hw.memsize").value_or(0));
  const auto state = std::make_shared<MetalState>(gpu, queue, most_wired);
  state->completed = [gpu newSharedEvent];
  state->order = [gpu newFence];
  state->move_scratch = [gpu newBufferWithLength:kMoveScratchBytes options:MTLResourceStorageModePrivate];
  if (queue == nil || state->completed == nil || state->order == nil || state->move_scratch == nil) {
    why = "Metal made no queue, event, fence or scratch";
    return nullptr;
  }
  why = compile_kernels(*state);
  if (!why.empty()) return nullptr;
  DeviceInfo info;
  info.id = "metal:" + std::to_string(number);
  info.kind = "metal";
  info.name = gpu.name.UTF8String;
  info.is_unified = gpu.hasUnifiedMemory;
  DeviceLimits limits;
  limits.import_alignment_bytes = vm_page_bytes();
  limits.most_buffer_bytes = gpu.maxBufferLength;
  limits.working_set_bytes = working_set.bytes;
  limits.working_set_source = working_set.source;
  // By another object, so that the device has submitted nothing yet.
  MetalDevice proof(state, info, limits);
  why = why_not_usable(proof);
  if (!why.empty()) return nullptr;
  return std::make_unique<MetalDevice>(state, std::move(info), std::move(limits));
}

}  // namespace

DeviceKind::Found detect_metal() {
  DeviceKind::Found found;
  @autoreleasepool {
    for (id<MTLDevice> gpu in MTLCopyAllDevices()) {
      std::string why;
      auto device = open(gpu, found.devices.size(), why);
      if (device != nullptr) {
        found.devices.push_back(std::move(device));
      } else {
        found.reason += (found.reason.empty() ? "" : "; ") + std::string(gpu.name.UTF8String) + ": " + why;
      }
    }
  }
  if (found.devices.empty() && found.reason.empty()) found.reason = "Metal lists no GPU";
  return found;
}

}  // namespace nautilus
