// Time for one operation of tens of nanoseconds: a counter of the processor, read in order, its own cost known.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace nautilus::bench {

inline uint64_t nanoseconds_now() noexcept {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

// Of this thread's own work, kernel included: what others on the machine do is left out. For means of many operations
// that never wait.
inline uint64_t worked_nanoseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Ordered: what stands before it has finished, what stands behind it has not begun.
inline uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
  const uint64_t ticks = __builtin_ia32_rdtsc();
  __builtin_ia32_lfence();
  return ticks;
#elif defined(__aarch64__)
  uint64_t ticks;
  asm volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
  return ticks;
#else
  return nanoseconds_now();
#endif
}

// Sorts. The nearest rank, like quantile() in bench/src/figure.ts.
template <typename Number>
Number quantile(std::vector<Number>& samples, double share) {
  const auto rank = static_cast<size_t>(std::max(0.0, share * static_cast<double>(samples.size()) - 1e-9));
  const size_t at = std::min(samples.size() - 1, rank);
  std::nth_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(at), samples.end());
  return samples[at];
}

// What a tick is worth here, and how many of them two readings cost when nothing stands between them.
struct Ticks {
  double per_nanosecond = 1;
  uint64_t overhead = 0;

  static Ticks calibrate() {
    Ticks result;
    const uint64_t started = nanoseconds_now();
    const uint64_t first = ticks_now();
    while (nanoseconds_now() - started < 50'000'000) {
    }
    const uint64_t last = ticks_now();
    result.per_nanosecond = static_cast<double>(last - first) / static_cast<double>(nanoseconds_now() - started);
    std::vector<uint64_t> empty(100'000);
    for (uint64_t& sample : empty) {
      const uint64_t before = ticks_now();
      sample = ticks_now() - before;
    }
    result.overhead = quantile(empty, 0.5);
    return result;
  }
  double nanoseconds(uint64_t ticks) const noexcept { return static_cast<double>(ticks) / per_nanosecond; }
};

}  // namespace nautilus::bench
