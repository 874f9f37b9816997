// The quarantine: every kind of stray write is made on purpose and must be reported with its place and bytes.
#include "policy/quarantine.h"

#include <random>

#include "alloc/best_fit.h"
#include "alloc/slab.h"
#include "alloc/stack.h"
#include "test/harness.h"
#include "test/policy_fixture.h"

using namespace nautilus;
using nautilus::test::Ground;
using nautilus::test::kGranule;

namespace {

auto into(std::vector<Damage>& damages) {
  return [&damages](const Damage& damage) noexcept { damages.push_back(damage); };
}

void expect_damage(const std::vector<Damage>& damages, Damage::Kind kind, uint64_t handle, uint64_t offset,
                   std::vector<uint8_t> found, uint64_t damaged_bytes) {
  EXPECT_EQUAL(damages.size(), 1U);
  const Damage& damage = damages[0];
  EXPECT(damage.kind == kind);
  EXPECT_EQUAL(damage.handle, handle);
  EXPECT_EQUAL(damage.offset, offset);
  EXPECT_EQUAL(damage.damaged_bytes, damaged_bytes);
  EXPECT_EQUAL(damage.found_bytes, found.size());
  for (size_t at = 0; at < found.size(); ++at) EXPECT_EQUAL(static_cast<int>(damage.found[at]), int{found[at]});
}

}  // namespace

TEST("quarantine: one byte behind a block and one in front of it are found when it is freed") {
  Ground<BestFit> ground(1 << 16);
  std::vector<Damage> damages;
  Quarantine quarantine{ground.arena, ground.payload.data(), into(damages)};
  const uint64_t after = quarantine.allocate(100, 1);
  const uint64_t offset = quarantine.find(after)->offset;
  EXPECT_EQUAL(offset % kGranule, 0U);
  EXPECT_EQUAL(quarantine.find(after)->bytes, 100U);
  std::memset(&ground.payload[offset], 7, 100);
  ground.payload[offset + 100] = std::byte{1};
  ground.payload[offset + 102] = std::byte{3};
  EXPECT(quarantine.free(after) == FreeOutcome::kFreed);
  expect_damage(damages, Damage::Kind::kAfter, after, offset + 100, {1, 0xca, 3}, 3);
  damages.clear();

  const uint64_t before = quarantine.allocate(100, 4096);
  const uint64_t place = quarantine.find(before)->offset;
  EXPECT_EQUAL(place % 4096, 0U);
  ground.payload[place - 1] = std::byte{9};
  EXPECT_EQUAL(quarantine.check(), 1U);
  EXPECT_EQUAL(quarantine.check(), 0U);
  EXPECT(quarantine.free(before) == FreeOutcome::kFreed);
  expect_damage(damages, Damage::Kind::kBefore, before, place - 1, {9}, 1);
}

TEST("quarantine: a write after free is found when the block leaves, and a second free at once") {
  Ground<BestFit> ground(1 << 16);
  std::vector<Damage> damages;
  Quarantine quarantine{ground.arena, ground.payload.data(), into(damages), {.resting_bytes = 1000}};
  const uint64_t first = quarantine.allocate(100, 1);
  const uint64_t offset = quarantine.find(first)->offset;
  EXPECT(quarantine.free(first) == FreeOutcome::kFreed);
  EXPECT(!quarantine.find(first));
  EXPECT_EQUAL(ground.arena.figures().live_blocks, 1U);
  for (uint64_t at = offset; at < offset + 100; ++at) EXPECT(ground.payload[at] == kPoisonByte);

  EXPECT(quarantine.free(first) == FreeOutcome::kUnknownBlock);
  expect_damage(damages, Damage::Kind::kDoubleFree, first, offset, {}, 0);
  damages.clear();

  for (uint8_t at = 0; at < 20; ++at) ground.payload[offset + 50 + at] = std::byte{at};
  const uint64_t second = quarantine.allocate(700, 1);
  EXPECT(quarantine.free(second) == FreeOutcome::kFreed);
  EXPECT_EQUAL(damages.size(), 0U);
  const uint64_t third = quarantine.allocate(100, 1);
  EXPECT(quarantine.free(third) == FreeOutcome::kFreed);
  expect_damage(damages, Damage::Kind::kAfterFree, first, offset + 50,
                {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 20);
  EXPECT_EQUAL(quarantine.resting_blocks(), 2U);
  EXPECT(quarantine.free(first) == FreeOutcome::kUnknownBlock);
  EXPECT_EQUAL(damages.size(), 1U);
}

TEST("quarantine: what is checked while it rests is reported once, and the end of the policy checks the rest") {
  Ground<BestFit> ground(1 << 16);
  std::vector<Damage> damages;
  {
    Quarantine quarantine{ground.arena, ground.payload.data(), into(damages), {.canary_bytes = 0}};
    const uint64_t handle = quarantine.allocate(100, 1);
    const uint64_t offset = quarantine.find(handle)->offset;
    EXPECT(quarantine.free(handle) == FreeOutcome::kFreed);
    ground.payload[offset + 99] = std::byte{1};
    EXPECT_EQUAL(quarantine.check(), 1U);
    EXPECT_EQUAL(quarantine.check(), 0U);
    ground.payload[offset] = std::byte{2};
    damages.clear();
  }
  EXPECT_EQUAL(damages.size(), 1U);
  EXPECT(damages[0].kind == Damage::Kind::kAfterFree);
  EXPECT_EQUAL(ground.arena.figures().live_blocks, 0U);
}

TEST("quarantine: rests at most its bytes, oldest out first, and a larger block does not push the others out") {
  Ground<BestFit> ground(1 << 20);
  std::vector<Damage> damages;
  Quarantine quarantine{ground.arena, ground.payload.data(), into(damages),
                        {.resting_bytes = 1000, .canary_bytes = 0}};
  std::vector<uint64_t> handles;
  for (int block = 0; block < 6; ++block) handles.push_back(quarantine.allocate(300, 1));
  for (const uint64_t handle : handles) EXPECT(quarantine.free(handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(quarantine.resting_blocks(), 3U);
  EXPECT_EQUAL(quarantine.resting_bytes(), 900U);
  for (int block = 0; block < 6; ++block) {
    EXPECT_EQUAL(find_block(ground.arena, handles[static_cast<size_t>(block)]).has_value(), block >= 3);
  }
  const uint64_t large = quarantine.allocate(1001, 1);
  EXPECT(quarantine.free(large) == FreeOutcome::kFreed);
  EXPECT(!find_block(ground.arena, large));
  EXPECT_EQUAL(quarantine.resting_blocks(), 3U);
  EXPECT_EQUAL(damages.size(), 0U);
}

TEST("quarantine: what rests makes no allocation fail, and a block that was freed past it is told") {
  Ground<BestFit> ground(1 << 14);
  std::vector<Damage> damages;
  Quarantine quarantine{ground.arena, ground.payload.data(), into(damages), {.canary_bytes = 0}};
  for (int round = 0; round < 100; ++round) {
    const uint64_t handle = quarantine.allocate(5000, 1);
    EXPECT(handle != 0);
    EXPECT(quarantine.free(handle) == FreeOutcome::kFreed);
  }
  EXPECT_EQUAL(quarantine.allocate((1 << 14) + 1, 1), 0U);
  EXPECT_EQUAL(quarantine.resting_blocks(), 0U);
  EXPECT_EQUAL(quarantine.allocate(UINT64_MAX, 1), 0U);
  const uint64_t handle = quarantine.allocate(1 << 14, 1);
  EXPECT(handle != 0);
  EXPECT(ground.arena.free(handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(damages.size(), 0U);
  EXPECT(quarantine.free(handle) == FreeOutcome::kUnknownBlock);
  EXPECT_EQUAL(damages.size(), 1U);
  EXPECT(damages[0].kind == Damage::Kind::kEndedElsewhere);
}

TEST("quarantine: refuses an ordered strategy, where nothing could rest") {
  Ground<Stack> ground(1 << 14);
  bool refused = false;
  try {
    Quarantine quarantine{ground.arena, ground.payload.data(), [](const Damage&) noexcept {}};
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  EXPECT(refused);
}

TEST("quarantine: a program that stays inside its blocks is never accused, one stray byte always") {
  constexpr uint64_t kCapacity = 1 << 20;
  Ground<Slab> ground(kCapacity);
  std::vector<Damage> damages;
  Quarantine quarantine{ground.arena, ground.payload.data(), into(damages), {.resting_bytes = 40'000}};
  std::mt19937_64 random(8);
  std::vector<uint64_t> live;
  std::vector<std::pair<uint64_t, BlockPlace>> freed;
  for (int step = 0; step < 20000; ++step) {
    if (live.empty() || random() % 100 < 51) {
      const uint64_t bytes = 1 + random() % 2000;
      const uint64_t alignment = uint64_t{1} << (random() % 9);
      const uint64_t handle = quarantine.allocate(bytes, alignment);
      if (handle == 0) continue;
      const BlockPlace place = *quarantine.find(handle);
      EXPECT_EQUAL(place.offset % alignment, 0U);
      EXPECT_EQUAL(place.bytes, bytes);
      std::memset(&ground.payload[place.offset], static_cast<int>(random() % 256), bytes);
      live.push_back(handle);
    } else {
      const size_t at = random() % live.size();
      freed.emplace_back(live[at], *quarantine.find(live[at]));
      EXPECT(quarantine.free(live[at]) == FreeOutcome::kFreed);
      live[at] = live.back();
      live.pop_back();
      EXPECT(quarantine.resting_bytes() <= 40'000);
    }
    EXPECT_EQUAL(damages.size(), 0U);
    if (step % 50 != 0 || live.empty()) continue;
    // A stray byte beside a live block, or inside one that still rests.
    const uint64_t handle = live[random() % live.size()];
    const BlockPlace place = *quarantine.find(handle);
    const bool is_use_after_free =
        random() % 2 == 0 && !freed.empty() && find_block(ground.arena, freed.back().first).has_value();
    const uint64_t stray = is_use_after_free ? freed.back().second.offset + random() % freed.back().second.bytes
                           : random() % 2 == 0 ? place.offset - 1 - random() % 16
                                               : place.offset + place.bytes + random() % 16;
    ground.payload[stray] ^= std::byte{1};
    EXPECT_EQUAL(quarantine.check(), 1U);
    EXPECT_EQUAL(damages[0].offset, stray);
    EXPECT_EQUAL(damages[0].handle, is_use_after_free ? freed.back().first : handle);
    damages.clear();
  }
}
