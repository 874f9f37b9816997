// Layout, little-endian: 0 magic u64, 8 version u64, 16 segment bytes u64; from 64, on a cache line of their
// own: live blocks, live bytes, allocations, frees, failures, high water, each u64.
#include "alloc/ledger.h"

#include <algorithm>
#include <atomic>
#include <bit>

namespace nautilus {
namespace {

static_assert(std::endian::native == std::endian::little, "the ledger is little-endian on every host");
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free, "a lock in shared memory could stay locked");

constexpr uint64_t kMagic = 0x31474c5355544e41;  // "ANTUSLG1" in memory order
constexpr uint64_t kVersion = 1;
constexpr size_t kMagicAt = 0;
constexpr size_t kVersionAt = 8;
constexpr size_t kSegmentBytesAt = 16;
constexpr size_t kFiguresAt = 64;
constexpr uint64_t kMaxSafeInteger = (uint64_t{1} << 53) - 1;

void store(std::byte* page, size_t at, uint64_t value, std::memory_order order) noexcept {
  std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(page + at)).store(value, order);
}

// A lock-free load never writes, so it may be used on memory that is mapped read-only.
uint64_t load(const std::byte* page, size_t at, std::memory_order order) noexcept {
  auto* word = const_cast<uint64_t*>(reinterpret_cast<const uint64_t*>(page + at));
  return std::atomic_ref<uint64_t>(*word).load(order);
}

uint64_t load_clamped(const std::byte* page, size_t at) noexcept {
  return std::min(load(page, at, std::memory_order_relaxed), kMaxSafeInteger);
}

}  // namespace

void initialise_ledger(std::byte* page, uint64_t segment_bytes) noexcept {
  // A reader that comes in between sees no magic and takes the page for uninitialised.
  store(page, kMagicAt, 0, std::memory_order_seq_cst);
  store(page, kVersionAt, kVersion, std::memory_order_relaxed);
  store(page, kSegmentBytesAt, segment_bytes, std::memory_order_relaxed);
  write_ledger(page, {});
  store(page, kMagicAt, kMagic, std::memory_order_release);
}

void write_ledger(std::byte* page, const ArenaFigures& figures) noexcept {
  const uint64_t words[] = {figures.live_blocks, figures.live_bytes, figures.allocations,
                            figures.frees,       figures.failures,   figures.high_water_bytes};
  size_t at = kFiguresAt;
  for (const uint64_t word : words) {
    store(page, at, word, std::memory_order_relaxed);
    at += sizeof word;
  }
}

std::optional<LedgerFigures> read_ledger(const std::byte* page) noexcept {
  if (load(page, kMagicAt, std::memory_order_acquire) != kMagic) return std::nullopt;
  if (load(page, kVersionAt, std::memory_order_relaxed) != kVersion) return std::nullopt;
  LedgerFigures read;
  read.segment_bytes = load_clamped(page, kSegmentBytesAt);
  uint64_t* const words[] = {&read.arena.live_blocks, &read.arena.live_bytes, &read.arena.allocations,
                             &read.arena.frees,       &read.arena.failures,   &read.arena.high_water_bytes};
  size_t at = kFiguresAt;
  for (uint64_t* const word : words) {
    *word = load_clamped(page, at);
    at += sizeof *word;
  }
  return read;
}

}  // namespace nautilus
