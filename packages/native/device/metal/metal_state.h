// What a Metal device and its buffers share. A buffer may outlive its device object, so both hold this.
#pragma once

#import <Metal/Metal.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device/fault_plan.h"
#include "device/metal/residency_sets.h"

namespace nautilus {

constexpr uint64_t kMoveScratchBytes = uint64_t{4} << 20;

struct MetalState {
  MetalState(id<MTLDevice> gpu, id<MTLCommandQueue> commands, uint64_t working_set_bytes)
      : device(gpu), queue(commands), residency(gpu, commands, working_set_bytes) {}

  id<MTLDevice> device;
  id<MTLCommandQueue> queue;
  // Its value is the newest ticket that is complete: tickets are 1, 2, 3, and complete in order.
  id<MTLSharedEvent> completed;
  // Orders the submissions on the GPU: buffers may lie over the same memory, which Metal's own tracking cannot see.
  id<MTLFence> order;
  id<MTLComputePipelineState> fill;
  id<MTLComputePipelineState> copy;
  id<MTLComputePipelineState> checksum;
  id<MTLBuffer> move_scratch;
  ResidencySets residency;
  FaultPlan faults;

  std::mutex lock;  // of what follows, and of the order in which command buffers are committed
  uint64_t newest_ticket = 0;
  std::string lost;  // why; empty while the device works

  // An aborted command buffer signals nothing, and those who wait for its ticket must still wake up. Called for every
  // ticket in turn, so that a value set back by a race with the GPU is right again at the next.
  void raise_completed(uint64_t ticket) {
    const std::lock_guard guard(raise_lock);
    if (completed.signaledValue < ticket) completed.signaledValue = ticket;
  }
  bool is_complete(uint64_t ticket) const { return completed.signaledValue >= ticket; }
  // 0 looks and does not wait.
  bool wait_for(uint64_t ticket, uint64_t timeout_ms) {
    if (is_complete(ticket)) return true;
    return timeout_ms > 0 && [completed waitUntilSignaledValue:ticket timeoutMS:timeout_ms];
  }
  std::string why_lost() {
    const std::lock_guard guard(lock);
    return lost;
  }

 private:
  std::mutex raise_lock;
};

}  // namespace nautilus
