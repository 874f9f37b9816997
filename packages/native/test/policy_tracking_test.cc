// Sampled tracking: exact where every allocation is a sample, unbiased where few are.
#include "policy/tracking.h"

#include <array>
#include <cmath>
#include <random>
#include <stdexcept>

#include "alloc/slab.h"
#include "policy/limit.h"
#include "test/harness.h"
#include "test/policy_fixture.h"

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#endif

using namespace nautilus;
using nautilus::test::BareUpstream;
using nautilus::test::Ground;

namespace {

auto unit_random(uint32_t seed) {
  return [random = std::mt19937_64(seed)]() mutable { return static_cast<double>(random() >> 11) * 0x1p-53; };
}

}  // namespace

TEST("tracking: at one byte a sample it lists exactly what is live, by site") {
  Ground<Slab> ground(1 << 20);
  uint32_t site = 0;
  Tracking tracking{ground.arena, [&site] { return site; }, unit_random(1), 1};
  std::mt19937_64 random(2);
  std::map<uint64_t, std::pair<uint32_t, uint64_t>> live;
  for (int step = 0; step < 20000; ++step) {
    if (live.empty() || random() % 100 < 51) {
      const uint64_t bytes = 1 + random() % 2000;
      site = static_cast<uint32_t>(random() % 4);
      const bool says_itself = random() % 2 == 0;
      const auto named = static_cast<uint32_t>(10 + random() % 4);
      const uint64_t handle = says_itself ? tracking.allocate(bytes, 1, named) : tracking.allocate(bytes, 1);
      if (handle != 0) live[handle] = {says_itself ? named : site, bytes};
    } else {
      const size_t place = random() % std::min<size_t>(live.size(), 50);
      const auto victim = std::next(live.begin(), static_cast<std::ptrdiff_t>(place));
      EXPECT(tracking.free(victim->first) == FreeOutcome::kFreed);
      EXPECT(tracking.free(victim->first) == FreeOutcome::kUnknownBlock);
      live.erase(victim);
    }
  }
  const auto outstanding = tracking.outstanding();
  EXPECT_EQUAL(outstanding.size(), live.size());
  std::map<uint32_t, std::pair<uint64_t, uint64_t>> sites;
  for (size_t at = 0; at < outstanding.size(); ++at) {
    const auto& [handle, sample] = outstanding[at];
    EXPECT(live.contains(handle));
    EXPECT_EQUAL(sample.site, live[handle].first);
    EXPECT_EQUAL(sample.bytes, live[handle].second);
    EXPECT(at == 0 || sample.bytes <= outstanding[at - 1].sample.bytes);
    ++sites[sample.site].first;
    sites[sample.site].second += sample.bytes;
  }
  const auto report = tracking.report();
  EXPECT_EQUAL(report.size(), sites.size());
  for (size_t at = 0; at < report.size(); ++at) {
    EXPECT_EQUAL(report[at].samples, sites[report[at].site].first);
    EXPECT_EQUAL(report[at].estimated_bytes, static_cast<double>(sites[report[at].site].second));
    EXPECT_EQUAL(report[at].estimated_blocks, static_cast<double>(report[at].samples));
    EXPECT(at == 0 || report[at].estimated_bytes <= report[at - 1].estimated_bytes);
  }
}

TEST("tracking: samples estimate the bytes and blocks of every site without bias") {
  constexpr uint64_t kRate = 64 * 1024;
  BareUpstream upstream;
  uint32_t site = 0;
  Tracking tracking{upstream, [&site] { return site; }, unit_random(3), kRate};
  std::mt19937_64 random(4);
  // Sizes below, about and far above the rate; every third block is freed again.
  constexpr std::array<uint64_t, 4> kSizes{200, 5000, 60'000, 1'000'000};
  constexpr std::array<uint64_t, 4> kBlocks{300'000, 30'000, 3'000, 300};
  std::array<double, 4> bytes{};
  std::array<double, 4> blocks{};
  std::array<double, 4> variance{};
  double expected_samples = 0;
  double samples_variance = 0;
  std::vector<uint32_t> order;
  for (uint32_t kind = 0; kind < 4; ++kind) order.insert(order.end(), kBlocks[kind], kind);
  std::shuffle(order.begin(), order.end(), random);
  for (size_t at = 0; at < order.size(); ++at) {
    site = order[at];
    const uint64_t asked = 1 + random() % (2 * kSizes[site]);
    const uint64_t handle = tracking.allocate(asked, 1);
    if (at % 3 == 0) {
      tracking.free(handle);
      continue;
    }
    const double chance = -std::expm1(-static_cast<double>(asked) / kRate);
    expected_samples += chance;
    samples_variance += chance * (1 - chance);
    bytes[site] += static_cast<double>(asked);
    blocks[site] += 1;
    variance[site] += static_cast<double>(asked) * static_cast<double>(asked) * (1 - chance) / chance;
  }
  const auto report = tracking.report();
  EXPECT_EQUAL(report.size(), 4U);
  uint64_t samples = 0;
  for (const auto& found : report) {
    // Five standard deviations of a sum of independent samples; the seed is fixed.
    EXPECT(std::abs(found.estimated_bytes - bytes[found.site]) < 5 * std::sqrt(variance[found.site]) + 1);
    EXPECT(std::abs(found.estimated_blocks - blocks[found.site]) < 0.25 * blocks[found.site]);
    samples += found.samples;
  }
  EXPECT(std::abs(static_cast<double>(samples) - expected_samples) < 5 * std::sqrt(samples_variance));
  EXPECT(samples < order.size() / 50);
}

TEST("tracking: off it asks for no site, and a rate that changes keeps the weights of what was sampled") {
  BareUpstream upstream;
  uint32_t captures = 0;
  Tracking tracking{upstream, [&captures] { return ++captures; }, unit_random(5), 0};
  for (int block = 0; block < 10; ++block) EXPECT(tracking.allocate(uint64_t{1} << 60, 1) != 0);
  EXPECT(tracking.allocate(uint64_t{15} << 60, 1) == 0);  // more than upstream has left
  for (int block = 0; block < 5; ++block) tracking.allocate(uint64_t{1} << 60, 1);
  tracking.allocate(uint64_t{1} << 60, 1);
  EXPECT_EQUAL(captures, 0U);
  EXPECT_EQUAL(tracking.outstanding().size(), 0U);
  upstream.room = 1 << 20;
  tracking.set_sample_bytes(1);
  tracking.allocate(100, 1);
  tracking.set_sample_bytes(50);
  for (int block = 0; block < 20; ++block) tracking.allocate(5000, 1);
  for (const auto& site : tracking.report()) {
    if (site.sampled_bytes == 100) EXPECT_EQUAL(site.estimated_bytes, 100.0);
    if (site.sampled_bytes == 5000) EXPECT(std::abs(site.estimated_bytes - 5000) < 1e-6);
  }
  EXPECT_EQUAL(captures, 21U);
}

TEST("tracking: nothing is allocated when the site cannot be told, or upstream refuses") {
  BareUpstream upstream;
  bool fails = true;
  Tracking tracking{upstream,
                    [&fails] {
                      if (fails) throw std::runtime_error("no site");
                      return 1;
                    },
                    unit_random(6), 1};
  bool thrown = false;
  try {
    tracking.allocate(10, 1);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  EXPECT(thrown);
  EXPECT_EQUAL(upstream.live_blocks(), 0U);
  fails = false;
  upstream.room = 5;
  EXPECT_EQUAL(tracking.allocate(10, 1), 0U);
  EXPECT_EQUAL(tracking.outstanding().size(), 0U);
}

#if __has_include(<execinfo.h>)
namespace {

using Backtrace = std::array<void*, 24>;

struct CaptureBacktrace {
  Backtrace operator()() const {
    Backtrace frames{};
    ::backtrace(frames.data(), static_cast<int>(frames.size()));
    return frames;
  }
};

using Traced = Tracking<BareUpstream, CaptureBacktrace, decltype(unit_random(0))>;
[[gnu::noinline]] uint64_t one_caller(Traced& tracking) { return tracking.allocate(100, 1) + 1; }
[[gnu::noinline]] uint64_t another_caller(Traced& tracking) { return tracking.allocate(50, 1) + 2; }

}  // namespace

TEST("tracking: a site may be a backtrace, which tells callers apart") {
  BareUpstream upstream;
  Traced tracking{upstream, CaptureBacktrace{}, unit_random(7), 1};
  for (int block = 0; block < 3; ++block) EXPECT(one_caller(tracking) != 0);
  EXPECT(another_caller(tracking) != 0);
  const auto report = tracking.report();
  EXPECT_EQUAL(report.size(), 2U);
  EXPECT_EQUAL(report[0].samples, 3U);
  EXPECT_EQUAL(report[0].estimated_bytes, 300.0);
  EXPECT_EQUAL(report[1].estimated_bytes, 50.0);
  EXPECT(report[0].site[0] != nullptr);
}
#endif
