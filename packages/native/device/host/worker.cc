// Tasks are done one by one in the order of submission, which is the order that devices promise.
#include "device/host/worker.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "device/crc32c.h"

namespace nautilus {
namespace {

// Longer than anybody waits, and short enough that a clock can add it.
constexpr uint64_t kLongestWaitMs = 86'400'000;

DeviceResult perform(const HostWork& work) {
  DeviceResult result;
  switch (work.kind) {
    case Operation::Kind::kFill: std::memset(work.target, work.value, work.bytes); break;
    case Operation::Kind::kScrub: std::memset(work.target, 0, work.bytes); break;
    case Operation::Kind::kCopy: std::memcpy(work.target, work.source, work.bytes); break;
    case Operation::Kind::kChecksum: result.checksum = crc32c({work.target, work.bytes}); break;
    case Operation::Kind::kMove:
      for (const BlockMove& move : work.moves) std::memmove(work.target + move.to, work.target + move.from, move.bytes);
      break;
  }
  return result;
}

}  // namespace

HostWorker::~HostWorker() {
  {
    const std::lock_guard guard(lock_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HostWorker::lose(const std::string& reason) {
  health_.is_usable = false;
  health_.reason = reason;
  changed_.notify_all();
}

Submitted HostWorker::submit(HostWork work) {
  const std::lock_guard guard(lock_);
  if (health_.is_usable && faults_.strikes(InjectedFault::kLostAtSubmit)) {
    ++health_.failed;
    lose("injected: lost at a submission");
  }
  if (!health_.is_usable) return {0, {DeviceStatus::kLost, health_.reason}};
  if (faults_.strikes(InjectedFault::kFailedAtSubmit)) {
    ++health_.failed;
    return {0, {DeviceStatus::kFailed, "injected: a submission failed"}};
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  const DeviceTicket ticket = last_given_ + 1;
  Task& task = tasks_[ticket];
  task.work = std::move(work);
  task.is_lost_at_wait = faults_.strikes(InjectedFault::kLostAtWait);
  queue_.push_back(ticket);
  last_given_ = ticket;
  ++health_.submitted;
  changed_.notify_all();
  return {ticket, {}};
}

void HostWorker::run() {
  std::unique_lock guard(lock_);
  while (true) {
    changed_.wait(guard, [this] { return is_ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const DeviceTicket ticket = queue_.front();
    queue_.pop_front();
    Task& task = tasks_.at(ticket);  // nobody takes it away before it is done
    if (health_.is_usable) {
      is_performing_ = true;
      guard.unlock();
      DeviceResult result = perform(task.work);
      guard.lock();
      is_performing_ = false;
      task.result = result;
    }
    task.is_done = true;
    last_done_ = ticket;
    changed_.notify_all();
  }
}

// What is being done when the loss is told ends first; nothing after it is begun.
DeviceResult HostWorker::lost_once_idle(std::unique_lock<std::mutex>& guard) {
  changed_.wait(guard, [this] { return !is_performing_; });
  return {DeviceStatus::kLost, health_.reason};
}

DeviceResult HostWorker::wait(DeviceTicket ticket, uint64_t timeout_ms) {
  std::unique_lock guard(lock_);
  if (!health_.is_usable) return lost_once_idle(guard);
  const auto found = tasks_.find(ticket);
  if (found == tasks_.end()) return {DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " is not known (any more)"};
  if (found->second.is_lost_at_wait) {
    ++health_.failed;
    lose("injected: lost while an operation was waited for");
    return lost_once_idle(guard);
  }
  const std::chrono::milliseconds timeout(std::min(timeout_ms, kLongestWaitMs));
  // Another thread may wait for the same ticket and take it away.
  const auto is_over = [&] {
    const auto now = tasks_.find(ticket);
    return !health_.is_usable || now == tasks_.end() || now->second.is_done;
  };
  if (!changed_.wait_for(guard, timeout, is_over)) return {DeviceStatus::kTimedOut, "the operation goes on"};
  if (!health_.is_usable) return lost_once_idle(guard);
  const auto done = tasks_.find(ticket);
  if (done == tasks_.end()) return {DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " was waited for elsewhere"};
  DeviceResult result = std::move(done->second.result);
  tasks_.erase(done);
  return result;
}

void HostWorker::wait_until_past(DeviceTicket ticket) {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [&] { return last_done_ >= ticket; });
}

DeviceHealth HostWorker::health() {
  const std::lock_guard guard(lock_);
  return health_;
}

std::string HostWorker::lost_reason() {
  const std::lock_guard guard(lock_);
  return health_.reason;
}

}  // namespace nautilus
