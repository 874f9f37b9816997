// Which part of a program holds the memory: allocations are sampled by bytes, so that large ones are seen almost
// surely and small ones cost nothing, and each sample that is still live keeps the site it came from. Scaled by the
// chance of having been sampled, the samples estimate what every site holds, without bias.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "policy/upstream.h"

namespace nautilus {

// A site that holds 200 MiB is then known to about 10 %, the square root of its 100 samples.
constexpr uint64_t kDefaultSampleBytes = uint64_t{4} << 20;

// capture() names the site of the allocation that is going on: a number, or a backtrace as an array. It is called for
// samples only, and what it throws reaches the caller before anything was allocated.
template <typename Capture>
concept SiteCapture = std::invocable<Capture&> && std::totally_ordered<std::invoke_result_t<Capture&>> &&
                      std::is_nothrow_default_constructible_v<std::invoke_result_t<Capture&>> &&
                      std::is_nothrow_move_assignable_v<std::invoke_result_t<Capture&>>;
// random() answers evenly from 0 (inclusive) to 1 (exclusive).
template <typename Random>
concept UnitRandom = std::is_invocable_r_v<double, Random&>;

template <Upstream U, SiteCapture Capture, UnitRandom Random>
class Tracking : public PolicyOver<U> {
 public:
  using Site = std::invoke_result_t<Capture&>;

  struct Sample {
    Site site{};
    uint64_t bytes = 0;        // as asked for
    uint64_t sample_bytes = 1;  // the rate it was taken at
  };
  struct Outstanding {
    uint64_t handle = 0;
    Sample sample;
  };
  struct SiteReport {
    Site site{};
    uint64_t samples = 0;
    uint64_t sampled_bytes = 0;
    double estimated_blocks = 0;
    double estimated_bytes = 0;
  };

  // One sample in `sample_bytes` bytes on average; 1 takes every allocation, 0 none.
  Tracking(U& upstream, Capture capture, Random random, uint64_t sample_bytes = kDefaultSampleBytes)
      : PolicyOver<U>(upstream), capture_(std::move(capture)), random_(std::move(random)) {
    set_sample_bytes(sample_bytes);
  }

  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    if (bytes < bytes_to_sample_) [[likely]] return pass(bytes, alignment);
    return sample(bytes, alignment, [this] { return capture_(); });
  }
  // By a caller that knows its site.
  uint64_t allocate(uint64_t bytes, uint64_t alignment, Site site) {
    if (bytes < bytes_to_sample_) [[likely]] return pass(bytes, alignment);
    return sample(bytes, alignment, [&site] { return std::move(site); });
  }

  FreeOutcome free(uint64_t handle) noexcept {
    const FreeOutcome outcome = this->upstream().free(handle);
    if (outcome == FreeOutcome::kFreed) samples_.erase(handle);
    return outcome;
  }

  uint64_t sample_bytes() const noexcept { return sample_bytes_; }
  // Samples that were taken keep the weight of their own rate.
  void set_sample_bytes(uint64_t sample_bytes) {
    sample_bytes_ = sample_bytes;
    bytes_to_sample_ = draw();
  }

  // Every sample that is still live, largest first. May throw std::bad_alloc.
  std::vector<Outstanding> outstanding() const {
    std::vector<Outstanding> all;
    all.reserve(samples_.size());
    samples_.for_each([&](uint64_t handle, const Sample& sample) { all.push_back({handle, sample}); });
    std::sort(all.begin(), all.end(), [](const Outstanding& left, const Outstanding& right) {
      if (left.sample.bytes != right.sample.bytes) return left.sample.bytes > right.sample.bytes;
      return left.handle < right.handle;
    });
    return all;
  }

  // What every site holds now, most bytes first. May throw std::bad_alloc.
  std::vector<SiteReport> report() const {
    std::map<Site, SiteReport> sites;
    samples_.for_each([&](uint64_t, const Sample& sample) {
      SiteReport& site = sites[sample.site];
      const double blocks = 1 / chance(sample.bytes, sample.sample_bytes);
      ++site.samples;
      site.sampled_bytes += sample.bytes;
      site.estimated_blocks += blocks;
      site.estimated_bytes += blocks * static_cast<double>(sample.bytes);
    });
    std::vector<SiteReport> reports;
    reports.reserve(sites.size());
    for (auto& [site, report] : sites) {
      report.site = site;
      reports.push_back(std::move(report));
    }
    std::sort(reports.begin(), reports.end(), [](const SiteReport& left, const SiteReport& right) {
      if (left.estimated_bytes != right.estimated_bytes) return left.estimated_bytes > right.estimated_bytes;
      return left.site < right.site;
    });
    return reports;
  }

 private:
  // Every byte is sampled alike, by a Poisson process: an allocation is a sample when any of its bytes is.
  static double chance(uint64_t bytes, uint64_t sample_bytes) noexcept {
    if (sample_bytes <= 1) return 1;
    return -std::expm1(-static_cast<double>(bytes) / static_cast<double>(sample_bytes));
  }
  // Bytes until the next sampled one, that one included: exponential, rounded up to a whole byte. The distances have
  // no memory, so bytes that were asked for in vain move the samples but do not bias them.
  uint64_t draw() {
    if (sample_bytes_ == 0) return UINT64_MAX;
    if (sample_bytes_ == 1) return 1;
    const double mean = static_cast<double>(sample_bytes_);
    return static_cast<uint64_t>(std::clamp(std::ceil(-std::log1p(-random_()) * mean), 1.0, 0x1p62));
  }

  uint64_t pass(uint64_t bytes, uint64_t alignment) {
    bytes_to_sample_ -= bytes;
    return this->upstream().allocate(bytes, alignment);
  }
  template <typename Name>
  [[gnu::noinline]] uint64_t sample(uint64_t bytes, uint64_t alignment, Name name) {
    bytes_to_sample_ = draw();
    if (sample_bytes_ == 0) return this->upstream().allocate(bytes, alignment);
    const uint64_t rate = sample_bytes_;
    Site site = name();
    samples_.reserve_one();
    const uint64_t handle = this->upstream().allocate(bytes, alignment);
    if (handle != 0) samples_.insert(handle, Sample{std::move(site), bytes, rate});
    return handle;
  }

  HandleMap<Sample, true> samples_;  // nearly every free asks for a block that is no sample
  uint64_t bytes_to_sample_ = 0;
  uint64_t sample_bytes_ = 0;
  [[no_unique_address]] Capture capture_;
  [[no_unique_address]] Random random_;
};

}  // namespace nautilus
