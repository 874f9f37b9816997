// Support of the tests of devices: memory as segments have it, operations in one line, and a device for each test.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "device/vulkan/loader.h"
#include "test/device_conformance.h"

namespace nautilus::test {
namespace {

constexpr uint64_t kPatienceMs = 60'000;

// The Vulkan loader unloads a driver with its last instance, and what the driver has leaked by then cannot be told from
// leaks of our own any more.
void keep_drivers_loaded() {
#if NAUTILUS_HAS_VULKAN
  static std::string why;
  // Volatile, or the compiler drops the pointer, and the instance becomes a leak itself.
  static std::shared_ptr<const VulkanInstance>* volatile kept = new auto(VulkanInstance::open(why));
  static_cast<void>(kept);
#endif
}
}  // namespace

SharedPages::SharedPages(uint64_t bytes) : fd_(-1) {
  char name[] = "/tmp/nautilus-device-XXXXXX";
  fd_ = ::mkstemp(name);
  EXPECT(fd_ >= 0);
  ::unlink(name);
  EXPECT(::ftruncate(fd_, static_cast<off_t>(bytes)) == 0);
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  EXPECT(mapped != MAP_FAILED);
  memory_ = {static_cast<std::byte*>(mapped), bytes};
}

SharedPages::SharedPages(const SharedPages& other) : fd_(::dup(other.fd_)) {
  void* mapped = ::mmap(nullptr, other.memory_.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  EXPECT(mapped != MAP_FAILED);
  memory_ = {static_cast<std::byte*>(mapped), other.memory_.size()};
}

std::unique_ptr<DeviceBuffer> import_all(Device& device, std::span<std::byte> memory, bool is_writable) {
  std::string why;
  auto buffer = device.import(memory, is_writable, why);
  if (buffer == nullptr) throw std::runtime_error("import: " + why);
  EXPECT_EQUAL(buffer->bytes(), memory.size());
  return buffer;
}

std::unique_ptr<DeviceBuffer> allocate_bytes(Device& device, uint64_t bytes) {
  std::string why;
  auto buffer = device.allocate(bytes, why);
  if (buffer == nullptr) throw std::runtime_error("allocate: " + why);
  EXPECT_EQUAL(buffer->bytes(), bytes);
  return buffer;
}

DeviceTicket start(Device& device, const Operation& operation) {
  const Submitted submitted = device.submit(operation);
  if (submitted.ticket == 0) throw std::runtime_error("submit: " + submitted.refusal.reason);
  return submitted.ticket;
}

DeviceResult perform(Device& device, const Operation& operation) {
  const DeviceResult result = device.wait(start(device, operation), kPatienceMs);
  if (result.status != DeviceStatus::kDone) throw std::runtime_error("wait: " + result.reason);
  return result;
}

void expect_refused(Device& device, const Operation& operation) {
  const Submitted submitted = device.submit(operation);
  EXPECT_EQUAL(submitted.ticket, 0u);
  EXPECT_EQUAL(static_cast<int>(submitted.refusal.status), static_cast<int>(DeviceStatus::kRefused));
  EXPECT(!submitted.refusal.reason.empty());
}

Operation fill_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes, uint8_t value) {
  return {.kind = Operation::Kind::kFill, .target = {&buffer, offset, bytes}, .source = {}, .value = value, .moves = {}};
}

Operation scrub_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes) {
  return {.kind = Operation::Kind::kScrub, .target = {&buffer, offset, bytes}, .source = {}, .value = 77, .moves = {}};
}

Operation checksum_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes) {
  return {.kind = Operation::Kind::kChecksum, .target = {&buffer, offset, bytes}, .source = {}, .moves = {}};
}

Operation copy_of(DeviceBuffer& target, uint64_t to, DeviceBuffer& source, uint64_t from, uint64_t bytes) {
  return {.kind = Operation::Kind::kCopy, .target = {&target, to, bytes}, .source = {&source, from, bytes}, .moves = {}};
}

Operation move_of(DeviceBuffer& buffer, std::span<const BlockMove> moves) {
  return {.kind = Operation::Kind::kMove, .target = {&buffer, 0, 0}, .source = {}, .moves = moves};
}

std::vector<std::byte> noise(uint64_t bytes, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> made(bytes);
  // Long ones repeat after a prime number of bytes, so that no two aligned stretches are alike.
  const uint64_t period = std::min<uint64_t>(bytes, 65'521);
  for (uint64_t at = 0; at < period; ++at) made[at] = static_cast<std::byte>(random() >> 11);
  for (uint64_t at = period; at < bytes; at += period) {
    std::memcpy(made.data() + at, made.data(), std::min(period, bytes - at));
  }
  return made;
}

uint64_t below(std::mt19937& random, uint64_t limit) { return (uint64_t{random()} << 20 ^ random()) % limit; }

void expect_same_bytes(std::span<const std::byte> found, std::span<const std::byte> expected) {
  EXPECT_EQUAL(found.size(), expected.size());
  if (std::memcmp(found.data(), expected.data(), found.size()) == 0) return;
  const auto [at, other] = std::mismatch(found.begin(), found.end(), expected.begin());
  if (at != found.end()) throw std::runtime_error("bytes differ from offset " + std::to_string(at - found.begin()) + " on");
}

OpenDevice opener(DeviceKind kind) {
  return [kind](size_t index) -> std::unique_ptr<Device> {
    keep_drivers_loaded();
    DeviceKind::Found found = kind.detect();
    if (found.devices.empty()) throw Skipped{found.reason};
    return index < found.devices.size() ? std::move(found.devices[index]) : nullptr;
  };
}

void add_device_test(const std::string& name, OpenDevice open, DeviceTest body, bool is_computing) {
  add(name, [open, body, is_computing] {
    std::string skipped;
    bool was_run = false;
    for (size_t index = 0; auto device = open(index); ++index) {
      try {
        if (is_computing && !device->info().can_compute) throw Skipped{device->info().compute_reason};
        body(*device, [&open, index] { return open(index); });
        was_run = true;
      } catch (const Skipped& skip) {
        skipped += device->info().id + ": " + skip.reason + "; ";
      } catch (const std::exception& error) {
        throw std::runtime_error(device->info().id + ": " + error.what());
      }
    }
    if (!was_run) throw Skipped{skipped};
    if (!skipped.empty()) std::printf("skipped in part  %s\n", skipped.c_str());
  });
}

}  // namespace nautilus::test
