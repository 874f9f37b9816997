// Devices and their buffers as opaque handles. Operations are waited for on one thread a device, never on the event
// loop, and settle their promises from there.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "binding/call.h"
#include "device/device.h"
#include "segment/mapped_region.h"

namespace nautilus {

// A buffer, and the mapping that it was imported from, which stays mapped as long as this lives.
struct HeldBuffer {
  static constexpr const char kKind[] = "a device buffer";

  HeldBuffer(std::shared_ptr<Device> of, std::unique_ptr<DeviceBuffer> made, std::shared_ptr<MappedRegion> from)
      : device(std::move(of)), buffer(std::move(made)), region(std::move(from)) {
    if (region != nullptr) region->pin();
  }
  ~HeldBuffer() {
    buffer.reset();
    if (region != nullptr) region->unpin();
  }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;

  std::shared_ptr<Device> device;
  std::unique_ptr<DeviceBuffer> buffer;
  std::shared_ptr<MappedRegion> region;  // null: born on the device
};

// An operation on its way: its buffers live until the device is done with them.
struct PendingOperation {
  DeviceTicket ticket = 0;
  napi_deferred deferred = nullptr;
  std::shared_ptr<HeldBuffer> target;
  std::shared_ptr<HeldBuffer> source;
  DeviceResult result;
};

// One thread that waits for the tickets of a device, and the way back to the event loop.
class DeviceWaiter {
 public:
  DeviceWaiter(napi_env env, std::shared_ptr<Device> device);
  // On the thread of JavaScript; what is still pending is never settled.
  ~DeviceWaiter();
  DeviceWaiter(const DeviceWaiter&) = delete;
  DeviceWaiter& operator=(const DeviceWaiter&) = delete;

  void add(std::unique_ptr<PendingOperation> pending);
  // Ends the thread, which first waits for what the device still does. Idempotent.
  void stop() noexcept;

 private:
  void run();
  void settle_done(napi_env env);
  static void on_environment_end(void* data);

  napi_env env_;
  std::shared_ptr<Device> device_;
  napi_threadsafe_function wake_ = nullptr;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<PendingOperation>> waiting_;
  std::deque<std::unique_ptr<PendingOperation>> done_;
  bool is_stopping_ = false;
  size_t pending_ = 0;  // seen by the thread of JavaScript only
  std::thread thread_;
};

// The promise's answer is the result, whatever it says: ts/device.ts makes errors of it.
void settle(napi_env env, napi_deferred deferred, const DeviceResult& result);

struct OpenedDevice {
  static constexpr const char kKind[] = "a device";
  std::shared_ptr<Device> device;
  std::unique_ptr<DeviceWaiter> waiter;  // uses the device, so it ends first
};

}  // namespace nautilus
