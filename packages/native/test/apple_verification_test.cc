// What `npm run verify:mac` measures with, on the host's device: so a Mac is the first to run Metal, and not also the
// first to run the measuring.
#include <atomic>
#include <thread>

#include "device/apple/latencies.h"
#include "device/apple/soak.h"
#include "device/kinds.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

std::unique_ptr<Device> host() { return std::move(detect_host().devices.at(0)); }

// A device that does something else than it was told, now and then.
class Liar final : public Device {
 public:
  explicit Liar(Operation::Kind about) : about_(about) {}
  const DeviceInfo& info() const noexcept override { return device_->info(); }
  const DeviceLimits& limits() const noexcept override { return device_->limits(); }
  std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) override {
    return device_->import(memory, is_writable, why);
  }
  std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) override {
    return device_->allocate(bytes, why);
  }
  Submitted submit(const Operation& operation) override {
    Operation other = operation;
    if (operation.kind == about_ && ++told_ > 5 && other.target.bytes > 0) {
      if (about_ == Operation::Kind::kMove) other.moves = other.moves.first(0);
      other.target.bytes -= 1;
      other.source.bytes -= 1;
    }
    return device_->submit(other);
  }
  DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms) override { return device_->wait(ticket, timeout_ms); }
  DeviceHealth health() const override { return device_->health(); }
  void inject(InjectedFault fault, uint32_t after) override { device_->inject(fault, after); }

 private:
  Operation::Kind about_;
  std::atomic<int> told_{0};
  std::unique_ptr<Device> device_ = host();
};

SoakResult soak_for(Device& device, int questions) {
  std::atomic<int> left{questions};
  return soak(device, 5, [&] { return left.fetch_sub(1) > 0; });
}

}  // namespace

TEST("verification: percentiles are ranks of the sorted samples") {
  std::vector<double> samples;
  for (int value = 1000; value > 0; --value) samples.push_back(value);
  const Latency latency = summarise("x", 1, 1, samples);
  EXPECT_EQUAL(latency.p50_ns, 501.0);
  EXPECT_EQUAL(latency.p999_ns, 1000.0);
  EXPECT_EQUAL(summarise("x", 1, 1, {7.0}).p999_ns, 7.0);
}

TEST("verification: each of the four latencies is measured") {
  Latency visible;
  std::string why;
  EXPECT(measure_visible(200, visible, why));
  EXPECT_EQUAL(visible.samples, 200u);
  EXPECT(visible.p50_ns > 0 && visible.p50_ns <= visible.p999_ns);
  const Latency allocate = measure_allocate(100);
  EXPECT(allocate.samples == 100 && allocate.p50_ns > 0);
  const auto device = host();
  const auto buffer = device->allocate(1 << 16, why);
  EXPECT(buffer != nullptr);
  EXPECT_EQUAL(measure_hand_over(*buffer, 100).samples, 100u);
  Latency completed;
  EXPECT(measure_completed(*device, *buffer, 1 << 16, 50, completed, why));
  EXPECT(completed.samples == 50 && completed.p50_ns > 0);
  EXPECT(!measure_completed(*device, *buffer, 1 << 17, 1, completed, why));
  EXPECT(!why.empty());
}

TEST("verification: a soak of a good device finds nothing, and did something") {
  const auto device = host();
  const SoakResult result = soak_for(*device, 400);
  EXPECT_EQUAL(result.first, "");
  EXPECT_EQUAL(result.mismatches + result.failures, 0u);
  EXPECT(result.operations >= 100 && result.imports >= 1);
}

TEST("verification: a soak finds a device that does a little less than it says, whatever the operation") {
  for (auto kind : {Operation::Kind::kFill, Operation::Kind::kScrub, Operation::Kind::kCopy,
                    Operation::Kind::kChecksum, Operation::Kind::kMove}) {
    Liar liar(kind);
    const SoakResult result = soak_for(liar, 4000);
    EXPECT(result.mismatches >= 1);
    EXPECT(!result.first.empty());
  }
}

TEST("verification: a soak reports a device that is lost") {
  const auto device = host();
  device->inject(InjectedFault::kLostAtSubmit, 20);
  const SoakResult result = soak_for(*device, 4000);
  EXPECT(result.failures >= 1);
  EXPECT(!result.first.empty());
}
