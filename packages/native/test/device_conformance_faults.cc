// What devices refuse, and how they end: lost at any place, with operations in flight, before or after their buffers.
#include <cstring>

#include "device/crc32c.h"
#include "test/device_conformance.h"

namespace nautilus::test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
using OpenAgain = std::function<std::unique_ptr<Device>()>;

void expect_lost(Device& device, DeviceBuffer& buffer) {
  EXPECT(!device.health().is_usable && !device.health().reason.empty());
  const Submitted submitted = device.submit(fill_of(buffer, 0, 1, 1));
  EXPECT(submitted.ticket == 0 && submitted.refusal.status == DeviceStatus::kLost && !submitted.refusal.reason.empty());
  EXPECT(device.wait(1, 0).status == DeviceStatus::kLost);
  EXPECT(device.wait(999'999, 1000).status == DeviceStatus::kLost);
  std::string why;
  EXPECT(device.allocate(4096, why) == nullptr && !why.empty());
  const SharedPages pages(4096);
  why.clear();
  EXPECT(device.import(pages.all(), true, why) == nullptr && !why.empty());
}

void test_refusals(Device& device, const OpenAgain& open) {
  const SharedPages pages(8192);
  const auto buffer = import_all(device, pages.all());
  const auto other_device = open();
  const auto foreign = allocate_bytes(*other_device, 8192);
  for (const auto& [offset, bytes] : {std::pair<uint64_t, uint64_t>{8192, 1}, {8193, 0}, {0, 8193}, {1, 8192},
                                      {UINT64_MAX, 1}, {1, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}}) {
    expect_refused(device, fill_of(*buffer, offset, bytes, 1));
    expect_refused(device, scrub_of(*buffer, offset, bytes));
    expect_refused(device, checksum_of(*buffer, offset, bytes));
    expect_refused(device, copy_of(*buffer, offset, *buffer, 0, bytes));
    expect_refused(device, copy_of(*buffer, 0, *buffer, offset, bytes));
    const BlockMove moves[] = {{0, 1, 1}, {offset, 0, bytes}};
    expect_refused(device, move_of(*buffer, moves));
    const BlockMove back[] = {{0, offset, bytes}};
    expect_refused(device, move_of(*buffer, back));
  }
  expect_refused(device, fill_of(*foreign, 0, 1, 1));
  expect_refused(device, copy_of(*buffer, 0, *foreign, 0, 1));
  expect_refused(device, copy_of(*foreign, 0, *buffer, 0, 1));
  expect_refused(device, copy_of(*buffer, 0, *buffer, 99, 100));
  Operation uneven = copy_of(*buffer, 0, *buffer, 4096, 100);
  uneven.source.bytes = 99;
  expect_refused(device, uneven);
  expect_refused(device, {.kind = Operation::Kind::kFill, .target = {}, .source = {}, .moves = {}});
  Operation unknown = fill_of(*buffer, 0, 1, 1);
  unknown.kind = static_cast<Operation::Kind>(17);
  expect_refused(device, unknown);
  // Nothing was done, nothing counts as a failure, and the very ends are inside.
  EXPECT(device.health().is_usable && device.health().failed == 0 && device.health().submitted == 0);
  perform(device, fill_of(*buffer, 8192, 0, 1));
  EXPECT_EQUAL(perform(device, checksum_of(*buffer, 0, 8192)).checksum, crc32c(std::vector<std::byte>(8192)));
  perform(device, fill_of(*buffer, 8191, 1, 1));
  perform(device, move_of(*buffer, {}));
}

void test_read_only(Device& device, const OpenAgain&) {
  const SharedPages pages(4096);
  const std::vector<std::byte> before = noise(4096, 1);
  std::memcpy(pages.all().data(), before.data(), before.size());
  const auto buffer = import_all(device, pages.all(), false);
  const auto own = allocate_bytes(device, 4096);
  EXPECT(!buffer->is_writable() && own->is_writable());
  const BlockMove move{0, 1, 10};
  expect_refused(device, fill_of(*buffer, 0, 1, 1));
  expect_refused(device, scrub_of(*buffer, 0, 1));
  expect_refused(device, copy_of(*buffer, 0, *own, 0, 1));
  expect_refused(device, move_of(*buffer, {&move, 1}));
  perform(device, copy_of(*own, 0, *buffer, 0, 4096));
  EXPECT_EQUAL(perform(device, checksum_of(*buffer, 0, 4096)).checksum, crc32c(before));
  expect_same_bytes({own->host_address(), 4096}, before);
  expect_same_bytes(pages.all(), before);
}

void test_lost_at_submit(Device& device, const OpenAgain&) {
  const SharedPages pages(kMiB);
  const auto buffer = import_all(device, pages.all());
  const auto own = allocate_bytes(device, kMiB);
  device.inject(InjectedFault::kLostAtSubmit, 2);
  start(device, fill_of(*buffer, 0, kMiB, 3));
  perform(device, fill_of(*buffer, 0, kMiB, 4));
  const Submitted submitted = device.submit(fill_of(*buffer, 0, kMiB, 5));
  EXPECT(submitted.ticket == 0 && submitted.refusal.status == DeviceStatus::kLost);
  expect_lost(device, *buffer);
  expect_lost(device, *own);
  EXPECT(device.health().failed == 1);
  // Imported memory is the host's as before.
  for (const std::byte byte : pages.all()) EXPECT(byte == std::byte{4});
  pages[0] = std::byte{9};
}

void test_lost_at_wait(Device& device, const OpenAgain&) {
  const SharedPages pages(16 * kMiB);
  auto buffer = import_all(device, pages.all());
  device.inject(InjectedFault::kLostAtWait, 1);
  const DeviceTicket first = start(device, fill_of(*buffer, 0, 16 * kMiB, 6));
  const DeviceTicket second = start(device, fill_of(*buffer, 0, 16 * kMiB, 7));
  const DeviceTicket third = start(device, fill_of(*buffer, 0, 16 * kMiB, 8));
  EXPECT(device.wait(first, 60'000).status == DeviceStatus::kDone);
  EXPECT(device.wait(second, 60'000).status == DeviceStatus::kLost);
  EXPECT(device.wait(third, 60'000).status == DeviceStatus::kLost);
  expect_lost(device, *buffer);
  buffer.reset();  // from here on the device touches nothing
  for (const std::byte byte : pages.all()) EXPECT(byte >= std::byte{6} && byte <= std::byte{8});
}

void test_failed_submit(Device& device, const OpenAgain&) {
  const SharedPages pages(4096);
  const auto buffer = import_all(device, pages.all());
  device.inject(InjectedFault::kFailedAtSubmit, 0);
  const Submitted submitted = device.submit(fill_of(*buffer, 0, 4096, 1));
  EXPECT(submitted.ticket == 0 && submitted.refusal.status == DeviceStatus::kFailed);
  EXPECT(!submitted.refusal.reason.empty() && device.health().is_usable && device.health().failed == 1);
  // Once, and then it works.
  perform(device, fill_of(*buffer, 0, 4096, 2));
  EXPECT(pages[0] == std::byte{2} && device.health().failed == 1);
  device.inject(InjectedFault::kLostAtSubmit, 0);
  device.inject(InjectedFault::kNone, 0);
  perform(device, fill_of(*buffer, 0, 4096, 3));
}

void test_out_of_memory(Device& device, const OpenAgain&) {
  std::string why;
  device.inject(InjectedFault::kOutOfMemoryAtAllocate, 0);
  EXPECT(device.allocate(4096, why) == nullptr && !why.empty() && device.health().is_usable);
  EXPECT(allocate_bytes(device, 4096) != nullptr);
  // An import is either refused or an honest copy.
  const SharedPages pages(8192);
  device.inject(InjectedFault::kOutOfMemoryAtAllocate, 0);
  why.clear();
  const auto buffer = device.import(pages.all(), true, why);
  EXPECT(buffer == nullptr ? !why.empty() : buffer->is_shared() == buffer->reason().empty());
  device.inject(InjectedFault::kNone, 0);
  EXPECT(import_all(device, pages.all()) != nullptr);
}

// The sanitizer is the witness here: a device that still wrote would write into unmapped memory.
void test_ends_in_flight(Device& device, const OpenAgain& open) {
  for (int round = 0; round < 4; ++round) {
    const SharedPages pages(8 * kMiB);
    auto buffer = import_all(device, pages.all());
    for (int at = 0; at < 4; ++at) start(device, fill_of(*buffer, 1, 8 * kMiB - 1, static_cast<uint8_t>(at + 1)));
    buffer.reset();
    // All of them were done before the buffer was gone.
    EXPECT(pages[0] == std::byte{0} && pages[1] == std::byte{4} && pages[8 * kMiB - 1] == std::byte{4});
  }
  const SharedPages pages(8 * kMiB);
  auto second = open();
  auto buffer = import_all(*second, pages.all());
  for (int at = 0; at < 4; ++at) start(*second, fill_of(*buffer, 0, 8 * kMiB, static_cast<uint8_t>(at + 1)));
  second.reset();
  EXPECT(buffer->bytes() == 8 * kMiB && buffer->host_address() == pages.all().data());
  buffer.reset();
  auto third = open();
  buffer = import_all(*third, pages.all());
  third->inject(InjectedFault::kLostAtWait, 0);
  const DeviceTicket ticket = start(*third, fill_of(*buffer, 0, 8 * kMiB, 77));
  EXPECT(third->wait(ticket, 0).status == DeviceStatus::kLost);
  buffer.reset();
  third.reset();
}

}  // namespace

void add_device_fault_suite(const std::string& name, OpenDevice open) {
  const auto all = [&](const char* what, void (*body)(Device&, const OpenAgain&)) {
    add_device_test(name + ": " + what, open, body);
  };
  all("refuses what cannot be, with a reason", test_refusals);
  all("does not write into memory that was imported for reading", test_read_only);
  all("lost at a submission, it says so ever after, and the host's memory is unharmed", test_lost_at_submit);
  all("lost while waited for, it says so ever after", test_lost_at_wait);
  all("a submission that fails is one that fails", test_failed_submit);
  all("without room it says so, and goes on", test_out_of_memory);
  all("buffers and devices may end with operations in flight, in any order", test_ends_in_flight);
}

}  // namespace nautilus::test
