// A GPU through Metal: submissions are command buffers of one queue, tickets the values of one shared event.
#pragma once

#import <Metal/Metal.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/apple/checksum_plan.h"
#include "device/device.h"
#include "device/metal/metal_state.h"

namespace nautilus {

class MetalDevice final : public Device {
 public:
  MetalDevice(std::shared_ptr<MetalState> state, DeviceInfo info, DeviceLimits limits)
      : state_(std::move(state)), info_(std::move(info)), limits_(std::move(limits)) {}

  const DeviceInfo& info() const noexcept override { return info_; }
  const DeviceLimits& limits() const noexcept override { return limits_; }
  std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) override;
  std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) override;
  Submitted submit(const Operation& operation) override;
  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms) override;
  DeviceHealth health() const override;
  void inject(InjectedFault fault, uint32_t after) override { state_->faults.plan(fault, after); }

 private:
  struct Submission {
    id<MTLCommandBuffer> commands;
    bool is_checksum = false;
    bool is_lost_at_wait = false;  // by a drill
    ChecksumPlan plan;
    id<MTLBuffer> checksums;
  };

  bool may_allocate(std::string& why);
  // The rest is under the lock of the state.
  Submitted commit(const Operation& operation);
  Submitted fail(DeviceStatus status, std::string reason);
  DeviceResult finish(Submission submission);
  id<MTLBuffer> take_checksums();

  std::shared_ptr<MetalState> state_;
  DeviceInfo info_;
  DeviceLimits limits_;
  std::map<DeviceTicket, Submission> submissions_;
  std::vector<id<MTLBuffer>> free_checksums_;
  uint64_t submitted_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace nautilus
