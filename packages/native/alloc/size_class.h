// Size classes: every multiple of the granule up to 16 granules, then 16 steps an octave, so at most 1/16 of a
// room is rounding. Slabs and the magazines of JavaScript (ts/size-class.ts) use the same classes.
#pragma once

#include <bit>
#include <cstdint>

#include "alloc/ledger_layout.h"

namespace nautilus {

constexpr uint32_t kSizeClasses = 255;  // 0 to 254; kNoClass is none

constexpr uint64_t align_up(uint64_t value, uint64_t alignment) noexcept {
  return (value + alignment - 1) & ~(alignment - 1);
}

// Granules of a room of this class.
constexpr uint64_t class_granules(uint32_t size_class) noexcept {
  if (size_class < 16) return size_class + 1;
  const uint32_t octave = (size_class - 16) / 16;
  const uint32_t step = (size_class - 16) % 16;
  return uint64_t{17 + step} << octave;
}

// The smallest class that holds so many granules (at least one); kNoClass when none does.
constexpr uint32_t class_for(uint64_t granules) noexcept {
  // One formula for both: below 16 the octave is 0 and the class is the last granule's number.
  const uint64_t last = granules - 1;
  const auto octave = static_cast<uint32_t>(std::bit_width(last | 16)) - 5;
  const uint64_t size_class = uint64_t{octave} * 16 + (last >> octave);
  return size_class < kSizeClasses ? static_cast<uint32_t>(size_class) : kNoClass;
}

static_assert(class_granules(class_for(1)) == 1 && class_granules(class_for(16)) == 16);
static_assert(class_granules(class_for(17)) == 17 && class_granules(class_for(32)) == 32);
static_assert(class_granules(class_for(33)) == 34 && class_granules(class_for(64)) == 64);
static_assert(class_granules(class_for(65)) == 68 && class_granules(class_for(4097)) == 4352);

}  // namespace nautilus
