// Comparing and summing up the 32 numbers of a tree node at once: SSE2, which every x86-64 has, and elsewhere the
// vector extensions of the compiler, which become NEON on arm64.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nautilus {

constexpr uint32_t kLanes = 32;
constexpr int32_t kLeastLane = INT32_MIN;

// Signed, because SSE2 compares no unsigned numbers: flipping the top bit keeps the order.
inline int32_t to_lane(uint32_t number) noexcept { return static_cast<int32_t>(number ^ 0x80000000u); }
inline uint32_t from_lane(int32_t lane) noexcept { return static_cast<uint32_t>(lane) ^ 0x80000000u; }

typedef int32_t FourLanes __attribute__((vector_size(16), may_alias));

// Lanes stand at multiples of 16 bytes.
inline FourLanes four_lanes(const int32_t* lanes, int four) noexcept {
  return reinterpret_cast<const FourLanes*>(lanes)[four];
}

inline uint32_t lanes_at_least_portable(const int32_t* lanes, int32_t bound) noexcept {
  const FourLanes limit = {bound, bound, bound, bound};
  const FourLanes bits = {1, 2, 4, 8};
  FourLanes below = {};
#pragma GCC unroll 8
  for (int four = 0; four < 8; ++four) below |= (limit > four_lanes(lanes, four)) & (bits << (four * 4));
  return ~static_cast<uint32_t>(below[0] | below[1] | below[2] | below[3]);
}

// Bit i is set when lane i is at least the bound.
inline uint32_t lanes_at_least(const int32_t* lanes, int32_t bound) noexcept {
#if defined(__SSE2__)
  const auto* fours = reinterpret_cast<const __m128i*>(lanes);
  const __m128i limit = _mm_set1_epi32(bound);
  const auto below = [&](int four) {
    const __m128i low = _mm_packs_epi32(_mm_cmpgt_epi32(limit, fours[four]), _mm_cmpgt_epi32(limit, fours[four + 1]));
    const __m128i high =
        _mm_packs_epi32(_mm_cmpgt_epi32(limit, fours[four + 2]), _mm_cmpgt_epi32(limit, fours[four + 3]));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
  };
  return ~(below(0) | (below(4) << 16));
#else
  return lanes_at_least_portable(lanes, bound);
#endif
}

inline int32_t greatest_lane(const int32_t* lanes) noexcept {
  const auto greater = [](FourLanes left, FourLanes right) { return left > right ? left : right; };
  const auto of_two = [&](int four) { return greater(four_lanes(lanes, four), four_lanes(lanes, four + 1)); };
  FourLanes most = greater(greater(of_two(0), of_two(2)), greater(of_two(4), of_two(6)));
  most = greater(most, FourLanes{most[2], most[3], most[0], most[1]});
  return most[0] > most[1] ? most[0] : most[1];
}

}  // namespace nautilus
