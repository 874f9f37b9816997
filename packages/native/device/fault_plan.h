// The fault that a drill has planned for a device: the implementation asks at each place where its driver answers,
// and takes the planned answer for the driver's.
#pragma once

#include <mutex>

#include "device/device.h"

namespace nautilus {

class FaultPlan {
 public:
  void plan(InjectedFault fault, uint32_t after) {
    const std::lock_guard guard(lock_);
    fault_ = fault;
    left_ = after;
  }

  // At every place where `fault` could strike, once an event. True: this is the one; the plan is then over.
  bool strikes(InjectedFault fault) {
    const std::lock_guard guard(lock_);
    if (fault_ != fault || fault == InjectedFault::kNone) return false;
    if (left_ > 0) {
      --left_;
      return false;
    }
    fault_ = InjectedFault::kNone;
    return true;
  }

 private:
  std::mutex lock_;
  InjectedFault fault_ = InjectedFault::kNone;
  uint32_t left_ = 0;
};

}  // namespace nautilus
