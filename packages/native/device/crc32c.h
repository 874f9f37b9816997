// CRC32C (Castagnoli, RFC 3720 appendix B.4), the checksum of all devices: processors have an instruction for it, and
// parts computed apart can be joined, which is how a GPU computes one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nautilus {

// By the processor's instruction where it has one, else by tables.
uint32_t crc32c(std::span<const std::byte> bytes);
uint32_t crc32c_by_table(std::span<const std::byte> bytes);
bool has_crc32c_instruction() noexcept;

// The checksum of two parts in a row from those of both.
uint32_t crc32c_join(uint32_t first, uint32_t second, uint64_t second_bytes) noexcept;

// Below the checksum lies a linear register, which devices compute: it starts at zero and is not inverted at the end.
// Registers of neighbouring parts join by shifting the first over the length of the second, and XOR.
uint32_t crc32c_shift(uint32_t remainder, uint64_t bytes) noexcept;
// The checksum of `bytes` bytes whose register, begun at zero, ended with this.
uint32_t crc32c_of_register(uint32_t remainder, uint64_t bytes) noexcept;
// Four tables of 256 words, of a byte that 0, 1, 2 or 3 others follow.
std::span<const uint32_t, 1024> crc32c_tables() noexcept;

}  // namespace nautilus
