// What an Apple GPU keeps resident, and the cutting of segments, moves and checksums for it: all of the Metal device
// that needs no Mac.
#include "device/apple/residency.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "device/apple/checksum_plan.h"
#include "device/apple/command_error.h"
#include "device/apple/views.h"
#include "device/move_steps.h"
#include "test/harness.h"

using nautilus::ChecksumPlan;
using nautilus::CopyStep;
using nautilus::DeviceStatus;
using nautilus::kMostResidencySets;
using nautilus::kNoResidencySet;
using nautilus::residency_budget_bytes;
using nautilus::residency_set_cap_bytes;
using nautilus::ResidencyPlace;
using nautilus::ResidentSegment;
using nautilus::split_residency;
using nautilus::Views;
using nautilus::working_set_of;

namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kGibibyte = uint64_t{1} << 30;

std::vector<ResidentSegment> fresh(std::initializer_list<uint64_t> sizes) {
  std::vector<ResidentSegment> segments;
  for (uint64_t bytes : sizes) segments.push_back({bytes, kNoResidencySet});
  return segments;
}

}  // namespace

TEST("residency: the budget leaves 2 GiB to the system and all to the others that they hold") {
  EXPECT_EQUAL(residency_budget_bytes(12 * kGibibyte, 0), 10 * kGibibyte);
  EXPECT_EQUAL(residency_budget_bytes(12 * kGibibyte, 4 * kGibibyte), 6 * kGibibyte);
  EXPECT_EQUAL(residency_budget_bytes(12 * kGibibyte, 11 * kGibibyte), 0u);
  EXPECT_EQUAL(residency_budget_bytes(12 * kGibibyte, UINT64_MAX), 0u);
  EXPECT_EQUAL(residency_budget_bytes(kGibibyte, 0), 0u);
  EXPECT_EQUAL(residency_budget_bytes(0, 0), 0u);
}

TEST("residency: a set is 5 % of the working set and at least 64 MiB") {
  EXPECT_EQUAL(residency_set_cap_bytes(100 * kGibibyte), 5 * kGibibyte);
  EXPECT_EQUAL(residency_set_cap_bytes(kGibibyte), 64 * kMebibyte);
}

TEST("residency: first fit into capped sets, and a segment above the cap alone") {
  // The cap is 1 GiB, the budget 18 GiB.
  const auto places = split_residency(
      20 * kGibibyte, 0,
      fresh({700 * kMebibyte, 700 * kMebibyte, 3 * kGibibyte, 300 * kMebibyte, 0, 24 * kMebibyte}));
  EXPECT_EQUAL(places[0].set, 0u);
  EXPECT_EQUAL(places[1].set, 1u);
  EXPECT_EQUAL(places[2].set, 2u);
  EXPECT_EQUAL(places[3].set, 0u);
  EXPECT_EQUAL(places[4].set, kNoResidencySet);
  EXPECT_EQUAL(places[4].reason, "no bytes");
  EXPECT_EQUAL(places[5].set, 0u);
}

TEST("residency: a segment beyond the budget stays out and says which figures left it out") {
  const auto places = split_residency(10 * kGibibyte, 5 * kGibibyte, fresh({2 * kGibibyte, 2 * kGibibyte, kGibibyte}));
  EXPECT_EQUAL(places[0].set, 0u);
  EXPECT_EQUAL(places[1].set, kNoResidencySet);
  EXPECT_EQUAL(places[1].reason,
               "not kept resident: 2147483648 bytes, and 1073741824 of 10737418240 are left: 2147483648 wired here, "
               "5368709120 by others, 2147483648 kept for the system");
  EXPECT_EQUAL(places[2].set, 1u);
}

TEST("residency: what is placed stays, when the others take everything and when segments go") {
  std::vector<ResidentSegment> segments{{kGibibyte, 3}, {kGibibyte, kNoResidencySet}};
  auto places = split_residency(20 * kGibibyte, 20 * kGibibyte, segments);
  EXPECT_EQUAL(places[0].set, 3u);
  EXPECT_EQUAL(places[1].set, kNoResidencySet);
  segments[0].bytes = 0;
  places = split_residency(20 * kGibibyte, 0, segments);
  EXPECT_EQUAL(places[0].set, kNoResidencySet);
  EXPECT_EQUAL(places[1].set, 0u);
}

TEST("residency: random segments keep to budget and sets, and more segments never move earlier ones") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    const uint64_t working_set = random() % (200 * kGibibyte);
    const uint64_t others = random() % (working_set + 1) / (random() % 4 + 1);
    std::vector<ResidentSegment> segments(random() % 200);
    for (ResidentSegment& segment : segments) segment.bytes = random() % (uint64_t{1} << (20 + random() % 14));
    const auto places = split_residency(working_set, others, segments);
    EXPECT_EQUAL(places.size(), segments.size());
    std::vector<uint64_t> used(kMostResidencySets);
    std::vector<uint32_t> members(kMostResidencySets);
    uint64_t wired = 0;
    for (size_t at = 0; at < places.size(); ++at) {
      EXPECT_EQUAL(places[at].reason.empty(), places[at].set != kNoResidencySet);
      if (places[at].set == kNoResidencySet) continue;
      EXPECT(places[at].set < kMostResidencySets);
      used[places[at].set] += segments[at].bytes;
      ++members[places[at].set];
      wired += segments[at].bytes;
    }
    EXPECT(wired <= residency_budget_bytes(working_set, others));
    const bool has_free_set = std::count(used.begin(), used.end(), 0u) > 0;
    for (uint32_t set = 0; set < kMostResidencySets; ++set) {
      if (has_free_set && members[set] > 1) EXPECT(used[set] <= residency_set_cap_bytes(working_set));
    }
    const size_t some = segments.empty() ? 0 : random() % segments.size();
    const auto fewer = split_residency(working_set, others, std::span(segments).first(some));
    for (size_t at = 0; at < some; ++at) EXPECT_EQUAL(fewer[at].set, places[at].set);
  }
}

TEST("residency: when all sets are taken, the emptiest grows past the cap") {
  // A cap of 1 GiB; all sets hold 400 MiB but one, which holds a byte.
  std::vector<ResidentSegment> full;
  for (uint32_t set = 0; set < kMostResidencySets; ++set) full.push_back({set == 9 ? 1 : 400 * kMebibyte, set});
  full.push_back({1200 * kMebibyte, kNoResidencySet});
  EXPECT_EQUAL(split_residency(20 * kGibibyte, 0, full).back().set, 9u);
}

TEST("residency: the working set is the driver's, or the setting's where that is lower, and says which") {
  const auto plain = working_set_of(10 * kGibibyte, 0, 499000);
  EXPECT_EQUAL(*plain.bytes, 10 * kGibibyte);
  EXPECT_EQUAL(plain.source,
               "recommendedMaxWorkingSetSize; iogpu.wired_limit_mb is the system's default; iogpu.rsrc_limit 499000 "
               "resources");
  const auto lowered = working_set_of(10 * kGibibyte, 4096, std::nullopt);
  EXPECT_EQUAL(*lowered.bytes, 4 * kGibibyte);
  EXPECT_EQUAL(lowered.source, "iogpu.wired_limit_mb, below recommendedMaxWorkingSetSize 10737418240");
  const auto raised = working_set_of(10 * kGibibyte, 20480, std::nullopt);
  EXPECT_EQUAL(*raised.bytes, 10 * kGibibyte);
  EXPECT_EQUAL(raised.source, "recommendedMaxWorkingSetSize; iogpu.wired_limit_mb 20480");
  const auto none = working_set_of(0, std::nullopt, std::nullopt);
  EXPECT(!none.bytes.has_value());
  EXPECT_EQUAL(none.source, "the driver recommends no working set");
}

TEST("views: every byte lies in one, and any block of a quarter of the longest lies wholly in the one for its start") {
  constexpr uint64_t kPage = 16384;
  for (uint64_t longest : {4 * kPage, 7 * kPage, 64 * kPage + 100}) {
    for (uint64_t bytes : {uint64_t{1}, kPage, longest, longest + 1, 3 * longest + 17, 100 * longest}) {
      const Views views(bytes, longest, kPage);
      uint64_t covered = 0;
      for (uint64_t view = 0; view < views.count(); ++view) {
        EXPECT(views.at(view).first <= covered && views.at(view).first % kPage == 0);
        EXPECT(views.at(view).bytes <= longest && views.at(view).bytes > 0);
        covered = views.at(view).first + views.at(view).bytes;
      }
      EXPECT_EQUAL(covered, bytes);
      for (uint64_t offset = 0; offset < bytes; offset += 4093) {
        const auto view = views.at(views.holding(offset));
        EXPECT(offset >= view.first && offset < view.first + view.bytes);
        EXPECT(views.left_behind(offset) >= std::min(bytes - offset, longest / 4 / kPage * kPage));
        // Linear in each stretch, as DeviceBuffer promises.
        const uint64_t stretch = offset / views.stretch_bytes() * views.stretch_bytes();
        EXPECT_EQUAL(views.holding(offset), views.holding(stretch));
      }
    }
  }
}

TEST("move steps: executed as copies, they do what memmove does, and no copy overlaps itself") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint8_t> bytes(1 + random() % 300);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<uint8_t>(random()); });
    const uint64_t length = random() % (bytes.size() + 1);
    const uint64_t room = bytes.size() - length + 1;
    const nautilus::BlockMove move{random() % room, random() % room, length};
    std::vector<uint8_t> scratch(1 + random() % 40);
    std::vector<uint8_t> expected = bytes;
    std::memmove(expected.data() + move.to, bytes.data() + move.from, length);
    std::vector<CopyStep> steps;
    nautilus::for_each_move_step(move, scratch.size(), [&](const CopyStep& step) { steps.push_back(step); });
    for (const CopyStep& step : steps) {
      const bool is_in = step.through == CopyStep::Through::kIntoScratch;
      const bool is_out = step.through == CopyStep::Through::kOutOfScratch;
      if (is_in || is_out) EXPECT(step.bytes <= scratch.size());
      if (!is_in && !is_out) EXPECT(step.from + step.bytes <= step.to || step.to + step.bytes <= step.from);
      const uint8_t* from = is_out ? scratch.data() : bytes.data() + step.from;
      std::copy(from, from + step.bytes, is_in ? scratch.data() : bytes.data() + step.to);
    }
    EXPECT(bytes == expected);
  }
}

TEST("move steps: a move of 1 GiB by one byte takes a copy pair for each scratch, not for each byte") {
  uint64_t steps = 0;
  nautilus::for_each_move_step({0, 1, kGibibyte}, 4 * kMebibyte, [&](const CopyStep&) { ++steps; });
  EXPECT_EQUAL(steps, 512u);
}

TEST("command errors: only those after which the GPU is gone lose the device") {
  for (long code : {4, 7, 11}) EXPECT(nautilus::command_error_of(code).status == DeviceStatus::kLost);
  for (long code : {0, 1, 2, 3, 8, 9, 12, 99}) {
    EXPECT(nautilus::command_error_of(code).status == DeviceStatus::kFailed);
  }
}
