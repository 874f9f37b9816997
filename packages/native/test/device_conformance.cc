// The model is an array of bytes and the C library; devices may be as clever as they like.
#include "test/device_conformance.h"

#include <algorithm>
#include <cstring>

#include "device/crc32c.h"

namespace nautilus::test {
namespace {

constexpr uint64_t kPatienceMs = 60'000;
constexpr uint64_t kMiB = 1 << 20;

void expect_checksum(Device& device, DeviceBuffer& buffer, std::span<const std::byte> model, uint64_t offset,
                     uint64_t bytes) {
  EXPECT_EQUAL(perform(device, checksum_of(buffer, offset, bytes)).checksum, crc32c(model.subspan(offset, bytes)));
}

void model_random_operations(Device& device, DeviceBuffer& buffer, int rounds) {
  const std::span<std::byte> found(buffer.host_address(), buffer.bytes());
  std::vector<std::byte> model = noise(buffer.bytes(), 5);
  std::memcpy(found.data(), model.data(), model.size());
  std::mt19937 random(11);
  for (int round = 0; round < rounds; ++round) {
    // Short and long, and every offset from alignment.
    const uint64_t longest = std::min<uint64_t>(model.size(), uint64_t{1} << below(random, 18));
    const uint64_t bytes = below(random, longest + 1);
    const uint64_t to = below(random, model.size() - bytes + 1);
    const uint64_t from = below(random, model.size() - bytes + 1);
    const auto value = static_cast<uint8_t>(below(random, 256));
    switch (below(random, 5)) {
      case 0:
        perform(device, fill_of(buffer, to, bytes, value));
        std::memset(model.data() + to, value, bytes);
        break;
      case 1:
        perform(device, scrub_of(buffer, to, bytes));
        std::memset(model.data() + to, 0, bytes);
        break;
      case 2:
        if (from < to + bytes && to < from + bytes) break;
        perform(device, copy_of(buffer, to, buffer, from, bytes));
        std::memcpy(model.data() + to, model.data() + from, bytes);
        break;
      case 3: {
        const BlockMove moves[] = {{from, to, bytes}, {to, from, bytes / 2}, {from, from, bytes}};
        perform(device, move_of(buffer, moves));
        for (const BlockMove& move : moves) std::memmove(model.data() + move.to, model.data() + move.from, move.bytes);
        break;
      }
      case 4: expect_checksum(device, buffer, model, to, bytes); break;
    }
    if (round % 16 == 15) expect_same_bytes(found, model);
  }
  expect_same_bytes(found, model);
}

void test_facts(Device& device) {
  const DeviceInfo& info = device.info();
  EXPECT(info.id.starts_with(info.kind + ":") && !info.name.empty());
  EXPECT_EQUAL(info.compute_reason.empty(), info.can_compute);
  EXPECT(device.limits().import_alignment_bytes > 0 && device.limits().most_buffer_bytes > 0);
  EXPECT(!device.limits().working_set_source.empty());
  EXPECT(device.health().is_usable && device.health().reason.empty());
  EXPECT_EQUAL(device.health().submitted, 0u);
}

void test_ends_of_ranges(Device& device) {
  const SharedPages pages(kMiB);
  const auto buffer = import_all(device, pages.all());
  std::vector<std::byte> model(kMiB);
  // Every alignment of both ends, among neighbours that must stay.
  for (uint64_t offset = 0; offset < 17; ++offset) {
    for (uint64_t bytes = 0; bytes < 40; ++bytes) {
      const auto value = static_cast<uint8_t>(1 + offset * 40 + bytes);
      start(device, fill_of(*buffer, 4096 * offset + 100 * bytes + offset, bytes, value));
      std::memset(model.data() + 4096 * offset + 100 * bytes + offset, value, bytes);
    }
  }
  for (uint64_t offset = 0; offset < 17 * 40; ++offset) {
    const uint64_t from = offset;
    const uint64_t to = kMiB / 2 + offset * 64 + offset % 7;
    start(device, copy_of(*buffer, to, *buffer, from, offset % 41));
    std::memcpy(model.data() + to, model.data() + from, offset % 41);
  }
  for (DeviceTicket ticket = 1; ticket <= 17 * 80; ++ticket) {
    EXPECT_EQUAL(static_cast<int>(device.wait(ticket, kPatienceMs).status), static_cast<int>(DeviceStatus::kDone));
  }
  expect_same_bytes(std::span(buffer->host_address(), kMiB), model);
}

void test_checksums(Device& device) {
  const SharedPages pages(20 * kMiB);
  const std::vector<std::byte> model = noise(20 * kMiB, 3);
  std::memcpy(pages.all().data(), model.data(), model.size());
  const auto buffer = import_all(device, pages.all());
  EXPECT_EQUAL(perform(device, checksum_of(*buffer, 77, 0)).checksum, 0u);
  const uint64_t around[] = {1, 4, 64, 512, 65536, kMiB};
  for (const uint64_t bytes : around) {
    for (uint64_t offset = 0; offset < 5; ++offset) {
      for (uint64_t more = 0; more < 3; ++more) expect_checksum(device, *buffer, model, offset, bytes + more - 1);
    }
  }
  expect_checksum(device, *buffer, model, 1, 20 * kMiB - 2);
  expect_checksum(device, *buffer, model, 0, 20 * kMiB);
}

void test_overlapping_moves(Device& device) {
  const SharedPages pages(8 * kMiB);
  std::vector<std::byte> model = noise(8 * kMiB, 9);
  std::memcpy(pages.all().data(), model.data(), model.size());
  const auto buffer = import_all(device, pages.all());
  for (const uint64_t distance : {uint64_t{1}, uint64_t{3}, uint64_t{64}, uint64_t{4097}, kMiB - 1, kMiB, 2 * kMiB + 5}) {
    for (const bool is_up : {true, false}) {
      const uint64_t near = 1000 + distance % 13;
      const BlockMove move{is_up ? near : near + distance, is_up ? near + distance : near, 3 * kMiB + 77};
      perform(device, move_of(*buffer, {&move, 1}));
      std::memmove(model.data() + move.to, model.data() + move.from, move.bytes);
      expect_same_bytes(std::span(buffer->host_address(), model.size()), model);
    }
  }
}

void test_many_in_flight(Device& device) {
  constexpr uint64_t kOperations = 5000;
  const SharedPages pages(kMiB);
  std::vector<std::byte> model(kMiB);
  const auto buffer = import_all(device, pages.all());
  std::vector<DeviceTicket> tickets;
  std::mt19937 random(21);
  for (uint64_t at = 0; at < kOperations; ++at) {
    // Each overlaps others, so any other order than that of submission shows.
    const uint64_t to = below(random, kMiB - 400);
    if (at % 3 == 0) {
      const BlockMove move{below(random, kMiB - 400), to, 300};
      tickets.push_back(start(device, move_of(*buffer, {&move, 1})));
      std::memmove(model.data() + move.to, model.data() + move.from, move.bytes);
    } else {
      tickets.push_back(start(device, fill_of(*buffer, to, 399, static_cast<uint8_t>(at))));
      std::memset(model.data() + to, static_cast<uint8_t>(at), 399);
    }
  }
  std::shuffle(tickets.begin(), tickets.end(), random);
  for (const DeviceTicket ticket : tickets) EXPECT(device.wait(ticket, kPatienceMs).status == DeviceStatus::kDone);
  expect_same_bytes(std::span(buffer->host_address(), kMiB), model);
  EXPECT_EQUAL(device.health().submitted, kOperations);
}

void test_waiting(Device& device) {
  const SharedPages pages(64 * kMiB);
  const auto buffer = import_all(device, pages.all());
  DeviceTicket last = 0;
  for (int at = 0; at < 4; ++at) last = start(device, checksum_of(*buffer, 1, 64 * kMiB - 1));
  const DeviceResult look = device.wait(last, 0);
  EXPECT(look.status == DeviceStatus::kTimedOut && !look.reason.empty());
  EXPECT(device.wait(last, 1).status == DeviceStatus::kTimedOut);
  EXPECT(device.wait(last, UINT64_MAX).status == DeviceStatus::kDone);
  EXPECT(device.wait(last, 0).status == DeviceStatus::kRefused);
  EXPECT(device.wait(last + 1, 0).status == DeviceStatus::kRefused);
  EXPECT(device.wait(0, 0).status == DeviceStatus::kRefused);
  // What came before is done as well, and still known.
  EXPECT(device.wait(last - 1, 0).status == DeviceStatus::kDone);
}

void test_zero_copy(Device& device) {
  const SharedPages pages(kMiB);
  const SharedPages elsewhere(pages);
  const auto buffer = import_all(device, pages.all());
  if (!buffer->is_shared()) throw Skipped{"the device imports no memory in place: " + buffer->reason()};
  EXPECT(buffer->host_address() == pages.all().data() && buffer->reason().empty());
  // Written after the import, by the processor, through another mapping: the device sees it.
  const std::vector<std::byte> written = noise(kMiB, 31);
  std::memcpy(elsewhere.all().data(), written.data(), written.size());
  expect_checksum(device, *buffer, written, 0, kMiB);
  // Written by the device: both mappings see it.
  perform(device, fill_of(*buffer, 5, kMiB - 9, 0xA7));
  EXPECT(pages[4] == written[4] && elsewhere[4] == written[4]);
  EXPECT(pages[5] == std::byte{0xA7} && elsewhere[kMiB - 5] == std::byte{0xA7});
  EXPECT(elsewhere[kMiB - 4] == written[kMiB - 4]);
}

void test_unaligned_import(Device& device) {
  const SharedPages pages(kMiB);
  const std::vector<std::byte> before = noise(kMiB, 33);
  std::memcpy(pages.all().data(), before.data(), kMiB);
  for (const auto& [offset, bytes] : {std::pair<uint64_t, uint64_t>{64, kMiB - 64}, {0, kMiB - 1}}) {
    const auto buffer = import_all(device, pages.all().subspan(offset, bytes));
    EXPECT_EQUAL(buffer->bytes(), bytes);
    EXPECT_EQUAL(buffer->is_shared(), device.limits().import_alignment_bytes == 1);
    // Copied or not is told, and true.
    EXPECT_EQUAL(buffer->reason().empty(), buffer->is_shared());
    EXPECT_EQUAL(buffer->host_address() == pages.all().data() + offset, buffer->is_shared());
    expect_checksum(device, *buffer, std::span(before).subspan(offset), 0, bytes);
    perform(device, fill_of(*buffer, 3, 10, 0x11));
    EXPECT_EQUAL(pages[offset + 3] == std::byte{0x11}, buffer->is_shared());
    EXPECT(buffer->host_address()[3] == std::byte{0x11});
    std::memcpy(pages.all().data(), before.data(), kMiB);
  }
}

void test_huge_import(Device& device) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const SharedPages pages(5 * kGiB);
  const auto buffer = import_all(device, pages.all());
  if (!buffer->is_shared()) throw Skipped{"the device imports no memory in place: " + buffer->reason()};
  for (const uint64_t middle : {kGiB, 2 * kGiB, 4 * kGiB}) {
    perform(device, fill_of(*buffer, middle - 7001, 14001, 0x5E));
    EXPECT(pages[middle - 7002] == std::byte{0} && pages[middle + 7000] == std::byte{0});
    for (uint64_t at = middle - 7001; at < middle + 7000; ++at) EXPECT(pages[at] == std::byte{0x5E});
    expect_checksum(device, *buffer, pages.all(), middle - 9000, 20000);
    perform(device, copy_of(*buffer, middle - 99999, *buffer, middle - 5000, 10000));
    EXPECT(std::memcmp(&pages[middle - 99999], &pages[middle - 5000], 10000) == 0);
    // Over the border, by less than the block.
    const std::vector<std::byte> block = noise(50000, 3);
    std::memcpy(&pages[middle - 30000], block.data(), block.size());
    const BlockMove move{middle - 30000, middle - 30000 + 123, block.size()};
    perform(device, move_of(*buffer, {&move, 1}));
    expect_same_bytes({&pages[middle - 30000 + 123], block.size()}, block);
  }
  const auto last = buffer->place(5 * kGiB - 1);
  const auto stretch = buffer->stretch_bytes();
  EXPECT_EQUAL(last.base, buffer->place((5 * kGiB - 1) / stretch * stretch).base);
}

void test_places(Device& device) {
  const auto buffer = allocate_bytes(device, 3 * 4096);
  const auto other = allocate_bytes(device, 4096);
  EXPECT(buffer->place(0).base != other->place(0).base);
  for (const uint64_t offset : {0, 1, 4096, 3 * 4096 - 1}) {
    const auto place = buffer->place(offset);
    EXPECT_EQUAL(place.base, buffer->place(0).base);
    EXPECT_EQUAL(place.offset, offset);
  }
  EXPECT_EQUAL(buffer->stretch_bytes(), buffer->bytes());
}

void test_born(Device& device) {
  const auto buffer = allocate_bytes(device, kMiB + 3);
  EXPECT(buffer->is_shared() && buffer->is_writable());
  expect_checksum(device, *buffer, std::vector<std::byte>(kMiB + 3), 0, kMiB + 3);
  model_random_operations(device, *buffer, 200);
  std::string why;
  EXPECT(device.allocate(0, why) == nullptr && !why.empty());
  EXPECT(device.allocate(UINT64_MAX, why) == nullptr && !why.empty());
  EXPECT(device.import({}, true, why) == nullptr && !why.empty());
}

void test_imported(Device& device) {
  const SharedPages pages(400'000 / 4096 * 4096);
  const auto buffer = import_all(device, pages.all());
  model_random_operations(device, *buffer, 600);
}

}  // namespace

void add_device_suite(const std::string& name, OpenDevice open) {
  const auto all = [&](const char* what, void (*body)(Device&), bool is_computing = true) {
    add_device_test(name + ": " + what, open, [body](Device& device, const auto&) { body(device); }, is_computing);
  };
  all("says what it is, and its limits", test_facts, false);
  all("names the place of any byte", test_places, false);
  all("operations on imported memory are those of the model", test_imported);
  all("operations on memory of its own are those of the model, and it is zero at first", test_born);
  all("writes no byte outside a range, whatever its ends", test_ends_of_ranges);
  all("checksums are the host's", test_checksums);
  all("moves to overlapping places are memmove", test_overlapping_moves);
  all("thousands of operations take effect in the order of submission", test_many_in_flight);
  all("waiting times out, goes on, and ends once", test_waiting);
  all("an import in place is the same memory, through every mapping", test_zero_copy);
  all("an import that is a copy says so and is one", test_unaligned_import);
  all("an import of 5 GiB works over all borders", test_huge_import);
}

}  // namespace nautilus::test
