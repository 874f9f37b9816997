// No Mac has compiled or run this yet; only the syntax check has seen it. The Neural Engine as a device that holds
// buffers: it runs models and no operations of ours, and reads IOSurfaces only.
#import <CoreML/CoreML.h>
#import <Foundation/Foundation.h>

#include <mutex>

#import "device/coreml/surface_buffer.h"
#include "device/fault_plan.h"
#include "device/kinds.h"

namespace nautilus {
namespace {

constexpr const char* kInjected = "injected by a drill";
constexpr const char* kNoOperations = "the Neural Engine runs models and no operations; use another device";

class CoreMlDevice final : public Device {
 public:
  explicit CoreMlDevice(std::string name) {
    info_.id = "coreml:0";
    info_.kind = "coreml";
    info_.name = std::move(name);
    info_.is_unified = true;
    info_.can_compute = false;
    info_.compute_reason = kNoOperations;
    limits_.most_buffer_bytes = SurfaceBuffer::most_flat_bytes();
    limits_.working_set_source = "Core ML states no working set of the Neural Engine";
  }

  const DeviceInfo& info() const noexcept override { return info_; }
  const DeviceLimits& limits() const noexcept override { return limits_; }

  std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) override {
    auto buffer = make(memory.size(), why);
    if (buffer == nullptr) return nullptr;
    buffer->become_copy(memory, is_writable, "copied: the Neural Engine reads IOSurfaces only, and they are born so");
    return buffer;
  }
  std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) override { return make(bytes, why); }

  Submitted submit(const Operation&) override {
    const std::lock_guard guard(lock_);
    if (faults_.strikes(InjectedFault::kLostAtSubmit)) lost_ = std::string("lost at a submission: ") + kInjected;
    if (!lost_.empty()) return {0, {DeviceStatus::kLost, lost_, 0}};
    return {0, {DeviceStatus::kRefused, kNoOperations, 0}};
  }
  DeviceResult wait(DeviceTicket ticket, uint64_t) override {
    const std::lock_guard guard(lock_);
    if (!lost_.empty()) return {DeviceStatus::kLost, lost_, 0};
    return {DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " is not known: nothing runs here", 0};
  }
  DeviceHealth health() const override {
    const std::lock_guard guard(lock_);
    return {lost_.empty(), lost_, 0, 0};
  }
  void inject(InjectedFault fault, uint32_t after) override { faults_.plan(fault, after); }

 private:
  std::unique_ptr<SurfaceBuffer> make(uint64_t bytes, std::string& why) {
    why = health().reason;
    if (!why.empty()) return nullptr;
    if (faults_.strikes(InjectedFault::kOutOfMemoryAtAllocate)) {
      why = std::string("no room: ") + kInjected;
      return nullptr;
    }
    return SurfaceBuffer::create_flat(identity_, bytes, why);
  }

  DeviceInfo info_;
  DeviceLimits limits_;
  FaultPlan faults_;
  std::shared_ptr<const void> identity_ = std::make_shared<int>();
  mutable std::mutex lock_;
  std::string lost_;
};

// Nothing, and `why`, when Core ML lists no Neural Engine.
std::string neural_engine_name(std::string& why) {
  if (@available(macOS 14.0, *)) {
    for (id<MLComputeDeviceProtocol> device in MLAllComputeDevices()) {
      if (![device isKindOfClass:[MLNeuralEngineComputeDevice class]]) continue;
      MLNeuralEngineComputeDevice* engine = (MLNeuralEngineComputeDevice*)device;
      return "Apple Neural Engine, " + std::to_string(engine.totalCoreCount) + " cores";
    }
    why = "Core ML lists no Neural Engine";
    return "";
  }
  why = "Core ML lists compute devices from macOS 14 on";
  return "";
}

}  // namespace

DeviceKind::Found detect_coreml() {
  DeviceKind::Found found;
  @autoreleasepool {
    const std::string name = neural_engine_name(found.reason);
    if (name.empty()) return found;
    auto device = std::make_unique<CoreMlDevice>(name);
    std::string why;
    if (device->allocate(kElementBytes, why) == nullptr) {
      found.reason = name + ": " + why;
      return found;
    }
    found.devices.push_back(std::move(device));
  }
  return found;
}

}  // namespace nautilus
