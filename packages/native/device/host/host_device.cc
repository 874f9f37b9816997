// The processor as a device: always there, needs no driver, and shares every byte it imports by nature. Accelerated
// work falls back to it.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "device/host/worker.h"
#include "device/kinds.h"
#include "device/request.h"

namespace nautilus {
namespace {

const std::string kNoReason;

class HostBuffer final : public DeviceBuffer {
 public:
  HostBuffer(std::shared_ptr<HostWorker> worker, std::span<std::byte> memory, bool is_writable, bool is_ours)
      : worker_(std::move(worker)), memory_(memory), is_writable_(is_writable), is_ours_(is_ours) {}
  ~HostBuffer() override {
    worker_->wait_until_past(last_use_);
    if (is_ours_) ::munmap(memory_.data(), memory_.size());
  }
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;

  uint64_t bytes() const noexcept override { return memory_.size(); }
  bool is_shared() const noexcept override { return true; }
  const std::string& reason() const noexcept override { return kNoReason; }
  bool is_writable() const noexcept override { return is_writable_; }
  const void* owner() const noexcept override { return worker_.get(); }
  std::byte* host_address() const noexcept override { return memory_.data(); }
  Place place(uint64_t offset) const noexcept override {
    return {reinterpret_cast<uintptr_t>(memory_.data()), offset, true};
  }

  void use(DeviceTicket ticket) noexcept {
    DeviceTicket before = last_use_;
    while (before < ticket && !last_use_.compare_exchange_weak(before, ticket)) continue;
  }

 private:
  std::shared_ptr<HostWorker> worker_;
  std::span<std::byte> memory_;
  bool is_writable_;
  bool is_ours_;
  std::atomic<DeviceTicket> last_use_{0};
};

class HostDevice final : public Device {
 public:
  HostDevice() {
    info_.id = "host:0";
    info_.kind = "host";
    info_.name = "host processor";
    info_.is_software = true;
    info_.is_unified = true;
    limits_.most_buffer_bytes = uint64_t{1} << 47;  // of addresses that a process has
    limits_.working_set_source = "the host's memory is its limit; budgets are the agent's";
  }

  const DeviceInfo& info() const noexcept override { return info_; }
  const DeviceLimits& limits() const noexcept override { return limits_; }
  DeviceHealth health() const override { return worker_->health(); }
  void inject(InjectedFault fault, uint32_t after) override { worker_->faults().plan(fault, after); }
  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms) override { return worker_->wait(ticket, timeout_ms); }

  std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) override {
    if (!has_room(memory.size(), why)) return nullptr;
    return std::make_unique<HostBuffer>(worker_, memory, is_writable, false);
  }

  std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) override {
    if (!has_room(bytes, why)) return nullptr;
    void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (mapped == MAP_FAILED) {
      why = std::to_string(bytes) + " bytes: " + std::strerror(errno);
      return nullptr;
    }
    return std::make_unique<HostBuffer>(worker_, std::span(static_cast<std::byte*>(mapped), bytes), true, true);
  }

  Submitted submit(const Operation& operation) override {
    if (std::string lost = worker_->lost_reason(); !lost.empty()) return {0, {DeviceStatus::kLost, lost}};
    if (const auto refusal = refusal_of(operation, worker_.get())) return {0, {DeviceStatus::kRefused, *refusal}};
    const Range& target = operation.target;
    const bool is_move = operation.kind == Operation::Kind::kMove;
    HostWork work;
    work.kind = operation.kind;
    work.target = target.buffer->host_address() + (is_move ? 0 : target.offset);
    work.bytes = target.bytes;
    work.value = operation.value;
    work.moves.assign(operation.moves.begin(), operation.moves.end());
    auto* source = operation.kind == Operation::Kind::kCopy ? operation.source.buffer : nullptr;
    if (source != nullptr) work.source = source->host_address() + operation.source.offset;
    Submitted submitted = worker_->submit(std::move(work));
    static_cast<HostBuffer*>(target.buffer)->use(submitted.ticket);
    if (source != nullptr) static_cast<HostBuffer*>(source)->use(submitted.ticket);
    return submitted;
  }

 private:
  bool has_room(uint64_t bytes, std::string& why) {
    why = worker_->lost_reason();
    if (!why.empty()) return false;
    if (bytes == 0 || bytes > limits_.most_buffer_bytes) {
      why = "a buffer has 1 to " + std::to_string(limits_.most_buffer_bytes) + " bytes, not " + std::to_string(bytes);
    } else if (worker_->faults().strikes(InjectedFault::kOutOfMemoryAtAllocate)) {
      why = "injected: out of memory";
    }
    return why.empty();
  }

  DeviceInfo info_;
  DeviceLimits limits_;
  std::shared_ptr<HostWorker> worker_ = std::make_shared<HostWorker>();
};

}  // namespace

DeviceKind::Found detect_host() {
  DeviceKind::Found found;
  found.devices.push_back(std::make_unique<HostDevice>());
  return found;
}

}  // namespace nautilus
