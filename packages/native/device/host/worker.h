// The thread of a host device. Operations queue for it as they do for a GPU, so submit() returns at once and wait()
// means the same on every device; code that works here does not rely on an operation being done when it was submitted.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "device/device.h"
#include "device/fault_plan.h"

namespace nautilus {

// An operation with addresses in place of buffers.
struct HostWork {
  Operation::Kind kind = Operation::Kind::kFill;
  std::byte* target = nullptr;
  const std::byte* source = nullptr;
  uint64_t bytes = 0;
  uint8_t value = 0;
  std::vector<BlockMove> moves;
};

class HostWorker {
 public:
  HostWorker() = default;
  // What was submitted is still done.
  ~HostWorker();
  HostWorker(const HostWorker&) = delete;
  HostWorker& operator=(const HostWorker&) = delete;

  Submitted submit(HostWork work);
  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms);
  // Until everything up to this ticket has left the memory alone for good.
  void wait_until_past(DeviceTicket ticket);
  DeviceHealth health();
  FaultPlan& faults() noexcept { return faults_; }
  // The reason when lost, else empty.
  std::string lost_reason();

 private:
  struct Task {
    HostWork work;
    bool is_lost_at_wait = false;
    bool is_done = false;
    DeviceResult result;
  };

  void run();
  DeviceResult lost_once_idle(std::unique_lock<std::mutex>& guard);
  void lose(const std::string& reason);  // under the lock

  std::mutex lock_;
  std::condition_variable changed_;
  std::unordered_map<DeviceTicket, Task> tasks_;  // until each is waited for; references stay valid
  std::deque<DeviceTicket> queue_;
  bool is_performing_ = false;
  DeviceTicket last_given_ = 0;
  DeviceTicket last_done_ = 0;
  DeviceHealth health_;
  bool is_ending_ = false;
  FaultPlan faults_;
  std::thread thread_;  // from the first submission on
};

}  // namespace nautilus
