// What every device must do, written once: each kind's tests call add_device_suite() and get all of it. What the suite
// is made of (device_support.cc) serves other tests of devices, too.
#pragma once

#include <sys/mman.h>

#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"
#include "test/harness.h"

namespace nautilus::test {

// Opens the device with this number anew, for some tests break it. Null behind the last one; throws Skipped when there
// is none at all.
using OpenDevice = std::function<std::unique_ptr<Device>(size_t index)>;
// A test of one device; it may open the same device again.
using DeviceTest = std::function<void(Device&, const std::function<std::unique_ptr<Device>()>& open_again)>;

// Registers one test, which runs on every device that is there.
void add_device_test(const std::string& name, OpenDevice open, DeviceTest body, bool is_computing = true);

void add_device_suite(const std::string& name, OpenDevice open);
// device_conformance_faults.cc: loss, refusal, ends at bad times.
void add_device_fault_suite(const std::string& name, OpenDevice open);

OpenDevice opener(DeviceKind kind);

// Memory as segments have it: shared, whole pages, zero.
class SharedPages {
 public:
  explicit SharedPages(uint64_t bytes);
  // The same memory in a second place.
  SharedPages(const SharedPages& other);
  ~SharedPages() { ::munmap(memory_.data(), memory_.size()); }
  SharedPages& operator=(const SharedPages&) = delete;

  std::span<std::byte> all() const noexcept { return memory_; }
  std::byte& operator[](uint64_t at) const noexcept { return memory_[at]; }

 private:
  int fd_;
  std::span<std::byte> memory_;
};

std::unique_ptr<DeviceBuffer> import_all(Device& device, std::span<std::byte> memory, bool is_writable = true);
std::unique_ptr<DeviceBuffer> allocate_bytes(Device& device, uint64_t bytes);
// Submits, expects a ticket.
DeviceTicket start(Device& device, const Operation& operation);
// And waits until it is done.
DeviceResult perform(Device& device, const Operation& operation);
// Expects a refusal that gives a reason.
void expect_refused(Device& device, const Operation& operation);

Operation fill_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes, uint8_t value);
Operation scrub_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes);
Operation checksum_of(DeviceBuffer& buffer, uint64_t offset, uint64_t bytes);
Operation copy_of(DeviceBuffer& target, uint64_t to, DeviceBuffer& source, uint64_t from, uint64_t bytes);
Operation move_of(DeviceBuffer& buffer, std::span<const BlockMove> moves);

std::vector<std::byte> noise(uint64_t bytes, uint32_t seed);
uint64_t below(std::mt19937& random, uint64_t limit);  // 0 to limit - 1
// Where they differ first; the harness names the offset.
void expect_same_bytes(std::span<const std::byte> found, std::span<const std::byte> expected);

}  // namespace nautilus::test
