// The paths of lesser drivers: memory in many pieces, no import of host memory, no addresses.
#include "device/vulkan/vulkan_device.h"

#include <cstring>

#include "device/crc32c.h"
#include "test/device_conformance.h"

#if NAUTILUS_HAS_VULKAN

using namespace nautilus;
using namespace nautilus::test;

namespace {

OpenDevice as(VulkanOptions options) {
  return [options](size_t index) -> std::unique_ptr<Device> {
    DeviceKind::Found found = detect_vulkan_as(options);
    if (found.devices.empty()) throw Skipped{found.reason};
    return index < found.devices.size() ? std::move(found.devices[index]) : nullptr;
  };
}

constexpr VulkanOptions kPieces{.most_piece_bytes = 16 << 20, .has_host_import = true, .has_addresses = true};
constexpr VulkanOptions kNoImport{.has_host_import = false};
constexpr VulkanOptions kNoAddresses{.has_addresses = false};

bool add_all() {
  add_device_suite("device vulkan in pieces of 16 MiB", as(kPieces));
  return true;
}
const bool added = add_all();

}  // namespace

TEST("device vulkan: an import in tiny pieces works over every border, and a checksum of too many is refused") {
  const auto device = as({.most_piece_bytes = 4096 * 3})(0);
  const SharedPages pages(24 << 20);
  const auto buffer = import_all(*device, pages.all());
  EXPECT(buffer->is_shared());
  EXPECT_EQUAL(buffer->stretch_bytes(), 4096u * 3);
  EXPECT(buffer->place(4096 * 3).offset == 0 && buffer->place(4096 * 3 + 5).offset == 5);
  perform(*device, fill_of(*buffer, 7, (1 << 20) - 7, 0x3C));
  perform(*device, copy_of(*buffer, 4 << 20, *buffer, 1001, 1 << 20));
  const BlockMove move{3, 5000, 2 << 20};
  std::vector<std::byte> model(pages.all().begin(), pages.all().end());
  std::memmove(model.data() + move.to, model.data() + move.from, move.bytes);
  perform(*device, move_of(*buffer, {&move, 1}));
  expect_same_bytes(pages.all(), model);
  const uint64_t most = 1024 * 4096 * 3;
  EXPECT_EQUAL(perform(*device, checksum_of(*buffer, 0, most)).checksum, crc32c(pages.all().first(most)));
  expect_refused(*device, checksum_of(*buffer, 0, 24 << 20));
}

TEST("device vulkan: without the extension an import is a copy, and says so") {
  const auto device = as(kNoImport)(0);
  const SharedPages pages(1 << 20);
  pages[5] = std::byte{5};
  const auto buffer = import_all(*device, pages.all());
  EXPECT(!buffer->is_shared());
  EXPECT(buffer->reason().find("VK_EXT_external_memory_host") != std::string::npos);
  EXPECT(buffer->host_address() != pages.all().data() && buffer->host_address()[5] == std::byte{5});
  perform(*device, fill_of(*buffer, 0, 1 << 20, 6));
  EXPECT(pages[5] == std::byte{5} && buffer->host_address()[5] == std::byte{6});
  EXPECT_EQUAL(device->limits().import_alignment_bytes > 0, true);
}

TEST("device vulkan: without addresses it holds buffers, numbers them, and refuses to compute") {
  const auto device = as(kNoAddresses)(0);
  EXPECT(!device->info().can_compute && !device->info().compute_reason.empty());
  const SharedPages pages(1 << 20);
  const auto first = import_all(*device, pages.all());
  const auto second = allocate_bytes(*device, 4096);
  EXPECT(first->is_shared());
  EXPECT(!first->place(9).is_address && first->place(9).offset == 9);
  EXPECT(first->place(0).base != second->place(0).base);
  expect_refused(*device, fill_of(*first, 0, 1, 1));
  EXPECT(device->wait(1, 0).status == DeviceStatus::kRefused);
}

#endif
