// Mapped files in every device that is there: each either works on the page cache itself or on a copy, and what it says
// of that is checked by changing the file behind its back.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "device/crc32c.h"
#include "os/unique_descriptor.h"
#include "segment/file_mapping.h"
#include "segment/segment.h"
#include "test/device_conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

// Whole pages, which every device that imports host memory takes; and a length that some take as a copy only.
constexpr uint64_t kLengths[] = {1 << 20, (1 << 20) + 123};

struct TestFile {
  std::string path = "/tmp/nautilus-file-import-XXXXXX";
  UniqueDescriptor descriptor;
  std::vector<std::byte> content;

  explicit TestFile(uint64_t bytes) : descriptor(::mkostemp(path.data(), O_CLOEXEC)), content(bytes) {
    for (size_t at = 0; at < content.size(); ++at) content[at] = static_cast<std::byte>(at * 31 >> 3);
    write_back();
  }
  ~TestFile() { ::unlink(path.c_str()); }
  void write_back() const {
    EXPECT_EQUAL(::pwrite(descriptor.get(), content.data(), content.size(), 0), std::ssize(content));
  }
  uint32_t checksum_on_disk() const {
    std::vector<std::byte> found(content.size());
    EXPECT_EQUAL(::pread(descriptor.get(), found.data(), found.size(), 0), std::ssize(found));
    return crc32c(found);
  }
};

std::span<std::byte> all_of(const FileMapping& mapping) { return {mapping.region->base(), mapping.region->bytes()}; }

uint32_t checksum_by(Device& device, DeviceBuffer& buffer) {
  return perform(device, checksum_of(buffer, 0, buffer.bytes())).checksum;
}

void read_only_file(Device& device, uint64_t bytes) {
  TestFile file(bytes);
  const FileMapping mapping = map_file({.path = file.path});
  const auto buffer = import_all(device, all_of(mapping), false);
  EXPECT_EQUAL(buffer->is_shared(), buffer->reason().empty());
  const uint32_t before = crc32c(file.content);
  EXPECT_EQUAL(checksum_by(device, *buffer), before);
  expect_refused(device, fill_of(*buffer, 0, 1, 9));
  file.content.back() ^= std::byte{1};
  file.write_back();
  EXPECT_EQUAL(checksum_by(device, *buffer), buffer->is_shared() ? crc32c(file.content) : before);
}

void private_file(Device& device, uint64_t bytes) {
  TestFile file(bytes);
  const FileMapping mapping = map_file({.path = file.path, .is_private = true});
  const auto buffer = import_all(device, all_of(mapping), true);
  perform(device, fill_of(*buffer, page_bytes(), 100, 9));
  EXPECT_EQUAL(file.checksum_on_disk(), crc32c(file.content));
  const bool is_seen = mapping.region->base()[page_bytes() + 99] == std::byte{9};
  EXPECT_EQUAL(is_seen, buffer->is_shared());
  std::fill_n(file.content.begin() + static_cast<std::ptrdiff_t>(page_bytes()), 100, std::byte{9});
  EXPECT_EQUAL(checksum_by(device, *buffer), crc32c(file.content));
  // A driver that pins pages may have copied all of them; one that was written is a copy in any case.
  const uint64_t copied = copied_bytes(mapping.region->base(), mapping.region->bytes());
  EXPECT(buffer->is_shared() ? copied >= page_bytes() : copied == 0);
}

void add(const std::string& name, const DeviceKind& kind, void (*body)(Device&, uint64_t bytes)) {
  add_device_test(name, opener(kind), [body](Device& device, const auto&) {
    for (const uint64_t bytes : kLengths) body(device, bytes);
  });
}

bool add_all() {
  for (const DeviceKind& kind : device_kinds()) {
    const std::string name = std::string("file import, ") + kind.name;
    add(name + ": read-only, shared or copied as it says", kind, read_only_file);
    add(name + ": private, and the file stays as it was", kind, private_file);
  }
  return true;
}
const bool added = add_all();

}  // namespace
