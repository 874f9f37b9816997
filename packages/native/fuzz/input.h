// What every fuzz target is written with: an input's bytes read as choices, and a ledger in memory of exactly its size,
// so that AddressSanitizer sees the first byte outside.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "alloc/strategies.h"
#include "test/harness.h"

namespace nautilus::fuzz {

// Zeros behind the last byte.
class Input {
 public:
  Input(const uint8_t* data, size_t bytes) noexcept : data_(data), left_(bytes) {}

  bool is_empty() const noexcept { return left_ == 0; }
  uint8_t byte() noexcept {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  uint64_t number(unsigned bytes) noexcept {
    uint64_t value = 0;
    for (unsigned at = 0; at < bytes; ++at) value |= uint64_t{byte()} << (8 * at);
    return value;
  }
  // Every power of two is as likely as the next one.
  uint64_t size(unsigned most_bits) noexcept {
    const uint64_t bit = uint64_t{1} << (byte() % most_bits);
    return bit + (number(2) * bit >> 16);
  }
  void copy_to(void* to, size_t bytes) noexcept {
    const size_t copied = std::min(bytes, left_);
    if (copied > 0) std::memcpy(to, data_, copied);
    data_ += copied;
    left_ -= copied;
  }
  size_t left() const noexcept { return left_; }

 private:
  const uint8_t* data_;
  size_t left_;
};

// Zeros at first.
class LedgerBytes {
 public:
  explicit LedgerBytes(uint64_t bytes) : bytes_(bytes) {
    void* base = nullptr;
    if (::posix_memalign(&base, 4096, bytes) != 0) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(base);
    std::memset(base_, 0, bytes);
  }
  LedgerBytes(const LedgerBytes&) = delete;
  LedgerBytes& operator=(const LedgerBytes&) = delete;
  ~LedgerBytes() { std::free(base_); }

  LedgerMemory memory() const noexcept { return {base_, bytes_}; }

 private:
  std::byte* base_;
  uint64_t bytes_;
};

inline const StrategyEntry& any_strategy(Input& input) noexcept {
  return strategies()[input.byte() % strategies().size()];
}

}  // namespace nautilus::fuzz
