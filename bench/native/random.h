// Numbers that are the same in every run and on every machine, and the sizes that the workloads ask for.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nautilus::bench {

// splitmix64: every state is a good one, so a seed needs no care.
class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed) {}
  uint64_t next() noexcept {
    uint64_t value = state_ += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }
  // Below the bound, which is under 2^32.
  uint32_t below(uint32_t bound) noexcept { return static_cast<uint32_t>(((next() >> 32) * bound) >> 32); }
  // In [0, 1).
  double share() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  uint64_t state_;
};

struct SizeRange {
  const char* name;
  uint64_t least;
  uint64_t most;
  // Of the arena that serves it: 8 bytes is what a pool of small objects has, a page what one of large buffers has.
  uint64_t granule;

  // Every octave is as likely as any other.
  uint64_t draw(Random& random) const noexcept {
    const double octaves = std::log(static_cast<double>(most) / static_cast<double>(least));
    return static_cast<uint64_t>(static_cast<double>(least) * std::exp(octaves * random.share()));
  }
  double mean() const noexcept {
    return static_cast<double>(most - least) / std::log(static_cast<double>(most) / static_cast<double>(least));
  }
};

constexpr SizeRange kSmall{"64 B to 4 KiB", 64, 4096, 8};
constexpr SizeRange kMedium{"256 B to 1 MiB", 256, 1 << 20, 64};
constexpr SizeRange kLarge{"16 KiB to 16 MiB", 16 << 10, 16 << 20, 4096};
constexpr SizeRange kSizeRanges[] = {kSmall, kMedium, kLarge};

// Drawn beforehand, so that no loop that is timed draws anything. A power of two, to be read in a circle.
constexpr uint32_t kDrawn = 1 << 16;

inline std::vector<uint64_t> draw_sizes(const SizeRange& range, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> sizes(kDrawn);
  for (uint64_t& size : sizes) size = range.draw(random);
  return sizes;
}

inline std::vector<uint32_t> draw_places(uint32_t bound, uint64_t seed) {
  Random random(seed);
  std::vector<uint32_t> places(std::max(kDrawn, std::bit_ceil(bound)));
  for (uint32_t& place : places) place = random.below(bound);
  return places;
}

}  // namespace nautilus::bench
