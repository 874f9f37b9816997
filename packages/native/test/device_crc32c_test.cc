// Known vectors, instruction against tables, and the identities that devices join parts by.
#include "device/crc32c.h"

#include <cstring>

#include "test/device_conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

uint32_t of_text(const char* text) { return crc32c(std::as_bytes(std::span(text, std::strlen(text)))); }

}  // namespace

TEST("crc32c: the vectors of RFC 3720, appendix B.4") {
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQUAL(crc32c(bytes), 0x8A9136AAu);
  EXPECT_EQUAL(crc32c_by_table(bytes), 0x8A9136AAu);
  bytes.assign(32, std::byte{0xFF});
  EXPECT_EQUAL(crc32c(bytes), 0x62A8AB43u);
  for (uint8_t at = 0; at < 32; ++at) bytes[at] = std::byte{at};
  EXPECT_EQUAL(crc32c(bytes), 0x46DD794Eu);
  for (uint8_t at = 0; at < 32; ++at) bytes[at] = static_cast<std::byte>(31 - at);
  EXPECT_EQUAL(crc32c(bytes), 0x113FDB5Cu);
  EXPECT_EQUAL(of_text("123456789"), 0xE3069283u);
  EXPECT_EQUAL(of_text(""), 0u);
}

TEST("crc32c: the processor's instruction and the tables agree at every length and alignment") {
  if (!has_crc32c_instruction()) throw Skipped{"this processor has no instruction for CRC32C"};
  const std::vector<std::byte> bytes = noise(4096, 17);
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t length = 0; length < 200; ++length) {
      const auto part = std::span(bytes).subspan(offset, length);
      EXPECT_EQUAL(crc32c(part), crc32c_by_table(part));
    }
  }
  EXPECT_EQUAL(crc32c(bytes), crc32c_by_table(bytes));
}

TEST("crc32c: parts join to the whole, as checksums and as registers") {
  const std::vector<std::byte> bytes = noise(10'000, 18);
  const std::span<const std::byte> all(bytes);
  for (const size_t first : {0, 1, 7, 512, 4097, 9999, 10'000}) {
    const uint32_t joined = crc32c_join(crc32c(all.first(first)), crc32c(all.subspan(first)), all.size() - first);
    EXPECT_EQUAL(joined, crc32c(all));
  }
  // A register over zeros stays zero, and a byte's place in the table is its register.
  EXPECT_EQUAL(crc32c_of_register(0, 32), crc32c(std::vector<std::byte>(32)));
  EXPECT_EQUAL(crc32c_of_register(crc32c_tables()[0x5A], 1), crc32c(std::vector<std::byte>(1, std::byte{0x5A})));
  EXPECT_EQUAL(crc32c_shift(crc32c_tables()[1], 3), crc32c_tables()[768 + 1]);
  EXPECT_EQUAL(crc32c_shift(crc32c_shift(0xDEADBEEF, 1000), 24), crc32c_shift(0xDEADBEEF, 1024));
}
