// Bits are reflected: the register's lowest bit is the highest power of x, so multiplying by x is a shift to the right.
#include "device/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#endif

namespace nautilus {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read from memory as they lie");

constexpr uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41, reflected
constexpr uint32_t kInverted = 0xFFFFFFFF;

constexpr uint32_t times_x(uint32_t value) { return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0); }

constexpr std::array<uint32_t, 1024> make_tables() {
  std::array<uint32_t, 1024> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    tables[byte] = value;
  }
  for (uint32_t at = 256; at < 1024; ++at) {
    const uint32_t before = tables[at - 256];
    tables[at] = (before >> 8) ^ tables[before & 0xFF];
  }
  return tables;
}
constexpr std::array<uint32_t, 1024> kTables = make_tables();

// The product of two polynomials, modulo the CRC's.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = times_x(b);
  }
  return product;
}

// x to the power of 8 * 2^at: what shifting over 2^at bytes multiplies by.
constexpr std::array<uint32_t, 64> make_powers() {
  std::array<uint32_t, 64> powers{};
  powers[0] = 0x00800000;  // x^8
  for (size_t at = 1; at < powers.size(); ++at) powers[at] = multiply(powers[at - 1], powers[at - 1]);
  return powers;
}
constexpr std::array<uint32_t, 64> kPowers = make_powers();

#if defined(__x86_64__)
bool detect_instruction() noexcept { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) uint32_t by_instruction(uint32_t value, const std::byte* at, size_t bytes) {
  uint64_t wide = value;
  for (; bytes >= 8; at += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  value = static_cast<uint32_t>(wide);
  for (; bytes > 0; ++at, --bytes) value = _mm_crc32_u8(value, static_cast<uint8_t>(*at));
  return value;
}
#elif defined(__aarch64__)
bool detect_instruction() noexcept {
#if defined(__linux__)
  return (::getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return true;  // every Apple silicon processor has it
#endif
}

#if defined(__clang__)
__attribute__((target("crc")))
#else
__attribute__((target("+crc")))
#endif
uint32_t by_instruction(uint32_t value, const std::byte* at, size_t bytes) {
  for (; bytes >= 8; at += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    value = __crc32cd(value, word);
  }
  for (; bytes > 0; ++at, --bytes) value = __crc32cb(value, static_cast<uint8_t>(*at));
  return value;
}
#else
bool detect_instruction() noexcept { return false; }
uint32_t by_instruction(uint32_t value, const std::byte*, size_t) { return value; }
#endif

}  // namespace

bool has_crc32c_instruction() noexcept {
  static const bool has = detect_instruction();
  return has;
}

uint32_t crc32c(std::span<const std::byte> bytes) {
  if (!has_crc32c_instruction()) return crc32c_by_table(bytes);
  return ~by_instruction(kInverted, bytes.data(), bytes.size());
}

uint32_t crc32c_by_table(std::span<const std::byte> bytes) {
  uint32_t value = kInverted;
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 4; at += 4, left -= 4) {
    uint32_t word;
    std::memcpy(&word, at, 4);
    word ^= value;
    value = kTables[768 + (word & 0xFF)] ^ kTables[512 + (word >> 8 & 0xFF)] ^ kTables[256 + (word >> 16 & 0xFF)] ^
            kTables[word >> 24];
  }
  for (; left > 0; ++at, --left) value = (value >> 8) ^ kTables[(value ^ static_cast<uint8_t>(*at)) & 0xFF];
  return ~value;
}

uint32_t crc32c_shift(uint32_t remainder, uint64_t bytes) noexcept {
  for (size_t at = 0; bytes != 0; ++at, bytes >>= 1) {
    if ((bytes & 1) != 0) remainder = multiply(kPowers[at], remainder);
  }
  return remainder;
}

// The start value is shifted over the first part and the end inverted twice, which cancels.
uint32_t crc32c_join(uint32_t first, uint32_t second, uint64_t second_bytes) noexcept {
  return crc32c_shift(first, second_bytes) ^ second;
}

uint32_t crc32c_of_register(uint32_t remainder, uint64_t bytes) noexcept {
  return ~(remainder ^ crc32c_shift(kInverted, bytes));
}

std::span<const uint32_t, 1024> crc32c_tables() noexcept { return kTables; }

}  // namespace nautilus
