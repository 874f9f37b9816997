// Places are numbers of granules and fit 32 bits, so a radix sort orders a million blocks in a few milliseconds; a
// segment that was filled from the front needs none.
#include "alloc/recovery.h"

#include <algorithm>
#include <array>
#include <memory>

namespace nautilus {
namespace {

constexpr unsigned kMostDigitBits = 8;
constexpr unsigned kMostDigits = 4;
static_assert(kMostDigits * kMostDigitBits >= 32);

}  // namespace

std::optional<Geometry> geometry_of(const LedgerMemory& ledger) noexcept {
  if (ledger.bytes < kLedgerHeaderBytes) return std::nullopt;
  const LedgerHeader& header = ledger.header();
  if (load_acquire(header.magic) != kLedgerMagic || header.version != kLedgerVersion) return std::nullopt;
  if (header.granule_log2 > kMaxGranuleLog2 || header.segment_bytes > kMaxSafeInteger) return std::nullopt;
  const uint64_t granule = uint64_t{1} << header.granule_log2;
  const uint64_t granules = header.segment_bytes / granule;
  if (granules == 0 || granules > UINT32_MAX) return std::nullopt;
  if (ledger_bytes_for(header.segment_bytes, granule) > ledger.bytes) return std::nullopt;
  const Geometry geometry{granules * granule, granule};
  if (!describes(header, geometry, header.power_of_two_rooms != 0)) return std::nullopt;
  return geometry;
}

bool describes(const LedgerHeader& header, Geometry geometry, bool power_of_two_rooms) noexcept {
  if (header.magic != kLedgerMagic || header.version != kLedgerVersion) return false;
  if (header.granule_log2 > kMaxGranuleLog2 || uint64_t{1} << header.granule_log2 != geometry.granule) return false;
  if (header.segment_bytes / geometry.granule != geometry.capacity / geometry.granule) return false;
  if (header.slot_capacity != slots_for(header.segment_bytes, geometry.granule)) return false;
  return header.slots_used <= header.slot_capacity && (header.power_of_two_rooms != 0) == power_of_two_rooms;
}

void sort_by_place(std::vector<PlacedSlot>& slots) {
  const auto by_place = [](const PlacedSlot& left, const PlacedSlot& right) { return left.place < right.place; };
  if (std::is_sorted(slots.begin(), slots.end(), by_place)) return;
  uint32_t highest = 0;
  for (const PlacedSlot& at : slots) highest |= at.place;
  const auto bits = static_cast<unsigned>(std::bit_width(highest));
  const unsigned digits = (bits + kMostDigitBits - 1) / kMostDigitBits;
  const unsigned digit_bits = (bits + digits - 1) / digits;
  const auto digit_of = [digit_bits](uint32_t place, unsigned digit) {
    return (place >> (digit * digit_bits)) & ((1u << digit_bits) - 1);
  };
  std::array<std::array<uint32_t, 1u << kMostDigitBits>, kMostDigits> counts{};
  for (const PlacedSlot& at : slots) {
    for (unsigned digit = 0; digit < digits; ++digit) ++counts[digit][digit_of(at.place, digit)];
  }
  const auto scratch = std::make_unique_for_overwrite<PlacedSlot[]>(slots.size());
  PlacedSlot* from = slots.data();
  PlacedSlot* to = scratch.get();
  for (unsigned digit = 0; digit < digits; ++digit) {
    uint32_t start = 0;
    for (uint32_t& count : counts[digit]) {
      const uint32_t here = count;
      count = start;
      start += here;
    }
    for (size_t at = 0; at < slots.size(); ++at) to[counts[digit][digit_of(from[at].place, digit)]++] = from[at];
    std::swap(from, to);
  }
  if (from != slots.data()) std::copy(from, from + slots.size(), slots.data());
}

void write_recovered_figures(LedgerHeader& header, Geometry geometry, uint64_t live_blocks,
                             uint64_t taken_bytes) noexcept {
  const ArenaFigures before = figures_of(header);
  // What no arena lives long enough for would soon reach the largest safe integer, and stay there while frees go on.
  const bool is_sane = before.allocations <= kMaxSafeInteger / 2;
  const uint64_t allocations = std::max(is_sane ? before.allocations : 0, live_blocks);
  for (Attachment& attachment : header.attachments) attachment = Attachment{};
  store_relaxed(header.attachments_used, uint32_t{0});
  store_relaxed(header.contended, uint32_t{0});
  store_relaxed(header.allocations, allocations);
  store_relaxed(header.frees, allocations - live_blocks);
  store_relaxed(header.failures, before.failures);
  store_relaxed(header.taken_bytes, taken_bytes);
  const uint64_t high_water = std::min(before.high_water_bytes, geometry.capacity);
  store_relaxed(header.high_water_bytes, std::max(high_water, taken_bytes));
  if (header.epoch == 0 || header.epoch > kMostEpochs) store_relaxed(header.epoch, uint64_t{1});
}

}  // namespace nautilus
