// Policies on policies: stacks in several orders against one model, and under a heap that fails at each allocation.
#include <random>

#include "alloc/best_fit.h"
#include "alloc/slab.h"
#include "alloc/stack.h"
#include "policy/limit.h"
#include "policy/on_failure.h"
#include "policy/quarantine.h"
#include "policy/statistics.h"
#include "policy/thread_safe.h"
#include "policy/trace.h"
#include "policy/tracking.h"
#include "policy/trim.h"
#include "test/failing_heap.h"
#include "test/harness.h"
#include "test/policy_fixture.h"

using namespace nautilus;
using nautilus::test::FailingHeap;
using nautilus::test::Ground;

namespace {

constexpr uint64_t kCapacity = 1 << 18;

auto capture_none() {
  return [] { return 0; };
}
auto unit_random() {
  return [random = std::mt19937_64(1)]() mutable { return static_cast<double>(random() >> 11) * 0x1p-53; };
}
auto count_into(uint64_t& count) {
  return [&count](const Damage&) noexcept { ++count; };
}
auto count_records(uint64_t& count) {
  return [&count](std::span<const TraceRecord> batch) noexcept { return count += batch.size(), batch.size(); };
}

struct Live {
  uint64_t handle;
  BlockPlace place;
  std::byte filling;
};

bool holds(const std::vector<std::byte>& payload, const Live& block) {
  const auto begin = payload.begin() + static_cast<std::ptrdiff_t>(block.place.offset);
  return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(block.place.bytes),
                     [&](std::byte byte) { return byte == block.filling; });
}

// Every block has its own bytes, every handle is good once, and room comes back.
template <typename Top>
void run_model(Top& top, std::vector<std::byte>& payload, uint32_t seed, int steps) {
  std::mt19937_64 random(seed);
  std::vector<Live> live;
  for (int step = 0; step < steps; ++step) {
    if (live.empty() || random() % 100 < 53) {
      const uint64_t bytes = 1 + random() % 4000;
      const uint64_t alignment = uint64_t{1} << (random() % 10);
      const uint64_t handle = top.allocate(bytes, alignment);
      if (handle == 0) continue;
      const auto place = find_block(top, handle);
      EXPECT(place.has_value());
      EXPECT_EQUAL(place->bytes, bytes);
      EXPECT_EQUAL(place->offset % alignment, 0U);
      const auto filling = static_cast<std::byte>(random() % 256);
      std::memset(&payload[place->offset], static_cast<int>(filling), bytes);
      live.push_back({handle, *place, filling});
    } else {
      const size_t at = random() % live.size();
      EXPECT(holds(payload, live[at]));
      EXPECT(top.free(live[at].handle) == FreeOutcome::kFreed);
      EXPECT(top.free(live[at].handle) == FreeOutcome::kUnknownBlock);
      EXPECT(!find_block(top, live[at].handle));
      live[at] = live.back();
      live.pop_back();
    }
  }
  for (const Live& block : live) {
    EXPECT(holds(payload, block));
    EXPECT(top.free(block.handle) == FreeOutcome::kFreed);
  }
}

// Everything over everything else, over whatever is at the bottom.
template <typename Bottom>
struct Everything {
  uint64_t damages = 0;
  uint64_t records = 0;
  Quarantine<Bottom, decltype(count_into(damages))> quarantine;
  Trace<decltype(quarantine), decltype(count_records(records))> trace;
  Tracking<decltype(trace), decltype(capture_none()), decltype(unit_random())> tracking;
  OnFailure<decltype(tracking), bool (*)(uint64_t, uint64_t, uint32_t)> on_failure;
  Limit<decltype(on_failure)> limit;
  Statistics<decltype(limit)> statistics;
  ThreadSafe<decltype(statistics)> top;

  Everything(Bottom& bottom, std::byte* payload)
      : quarantine(bottom, payload, count_into(damages), {.resting_bytes = 50'000}),
        trace(quarantine, count_records(records), {.batch_records = 64}),
        tracking(trace, capture_none(), unit_random(), 2000),
        on_failure(tracking, [](uint64_t, uint64_t, uint32_t) { return true; }, 2),
        limit(on_failure, {.live_bytes = 150'000}),
        statistics(limit),
        top(statistics) {}
};

template <typename Bottom>
void check_everything(Bottom& bottom, std::vector<std::byte>& payload) {
  Everything<Bottom> stack(bottom, payload.data());
  run_model(stack.top, payload, 21, 15000);
  EXPECT_EQUAL(stack.statistics.figures().bytes.current, 0);
  EXPECT(stack.statistics.figures().bytes.peak > 100'000);
  EXPECT(stack.statistics.figures().bytes.peak <= 150'000);
  EXPECT_EQUAL(stack.limit.live().blocks, 0U);
  EXPECT(stack.limit.refusals() > 0);
  EXPECT_EQUAL(stack.tracking.outstanding().size(), 0U);
  EXPECT(stack.trace.flush());
  EXPECT_EQUAL(stack.records, 2 * stack.statistics.figures().blocks.total);
  EXPECT_EQUAL(stack.trace.lost_records() + stack.trace.foreign_frees(), 0U);
  stack.quarantine.release_all();
  // The second free of a block that rests is the model's own doing: one for each block at most.
  EXPECT(stack.damages > 0 && stack.damages <= stack.statistics.figures().blocks.total);
}

}  // namespace

TEST("stacks: everything over everything, over a strategy, over the virtual face and over another policy") {
  Ground<BestFit> ground(kCapacity);
  check_everything(ground.arena, ground.payload);
  EXPECT_EQUAL(ground.arena.free_bytes(), kCapacity);
  Ground<Slab> slab(kCapacity);
  Arena& face = slab.arena;
  check_everything(face, slab.payload);
  EXPECT_EQUAL(slab.arena.figures().live_blocks, 0U);
  Ground<BestFit> shared(kCapacity);
  ThreadSafe below{shared.arena};
  check_everything(below, shared.payload);
  EXPECT_EQUAL(shared.arena.free_bytes(), kCapacity);
}

TEST("stacks: the other way round") {
  Ground<BestFit> ground(kCapacity);
  uint64_t damages = 0;
  uint64_t records = 0;
  ThreadSafe shared{ground.arena};
  Statistics inner{shared};
  Limit limit{inner, {.live_blocks = 60}};
  OnFailure on_failure{limit, [](uint64_t, uint64_t, uint32_t) { return false; }};
  Tracking tracking{on_failure, capture_none(), unit_random(), 1};
  Trace trace{tracking, count_records(records)};
  Quarantine top{trace, ground.payload.data(), count_into(damages), {.resting_bytes = 20'000}};
  run_model(top, ground.payload, 22, 15000);
  top.release_all();
  EXPECT(inner.figures().blocks.peak <= 60);
  EXPECT_EQUAL(inner.figures().bytes.current, 0);
  EXPECT(trace.flush());
  EXPECT_EQUAL(records, 2 * inner.figures().blocks.total);
  EXPECT_EQUAL(ground.arena.free_bytes(), kCapacity);
}

TEST("stacks: over an ordered strategy what is refused is counted nowhere") {
  Ground<Stack> ground(kCapacity);
  uint64_t records = 0;
  Trace trace{ground.arena, count_records(records)};
  Limit limit{trace, {.live_bytes = 1000}};
  Statistics statistics{limit};
  const uint64_t below = statistics.allocate(100, 1);
  const uint64_t above = statistics.allocate(200, 1);
  EXPECT(statistics.free(below) == FreeOutcome::kOrderViolation);
  EXPECT_EQUAL(statistics.figures().bytes.current, 300);
  EXPECT_EQUAL(limit.live().bytes, 300U);
  EXPECT(statistics.free(above) == FreeOutcome::kFreed);
  EXPECT(statistics.free(below) == FreeOutcome::kFreed);
  EXPECT(trace.flush());
  EXPECT_EQUAL(records, 4U);
  EXPECT(statistics.is_ordered());
}

TEST("stacks: whichever allocation of the heap fails, upstream is left without a leaked block") {
  uint64_t failures = 0;
  for (int64_t allowed = 0; allowed < 60; ++allowed) {
    Ground<BestFit> ground(kCapacity);
    std::vector<uint64_t> handles;
    handles.reserve(400);
    {
      Everything<ArenaOf<BestFit>> stack(ground.arena, ground.payload.data());
      {
        const FailingHeap heap(allowed);
        for (int block = 0; block < 400; ++block) {
          try {
            if (const uint64_t handle = stack.top.allocate(300, 1)) handles.push_back(handle);
          } catch (const std::bad_alloc&) {
            ++failures;
          }
        }
      }
      EXPECT_EQUAL(ground.arena.figures().live_blocks, handles.size());
      EXPECT_EQUAL(stack.statistics.figures().blocks.current, static_cast<int64_t>(handles.size()));
      EXPECT_EQUAL(stack.limit.live().blocks, handles.size());
      {
        // Freeing needs no memory.
        const FailingHeap heap(0);
        for (const uint64_t handle : handles) EXPECT(stack.top.free(handle) == FreeOutcome::kFreed);
        stack.quarantine.release_all();
      }
      EXPECT(stack.trace.flush());
      EXPECT_EQUAL(stack.records, 2 * handles.size());
      EXPECT_EQUAL(stack.damages, 0U);
    }
    EXPECT_EQUAL(ground.arena.figures().live_blocks, 0U);
    EXPECT_EQUAL(ground.arena.free_bytes(), kCapacity);
  }
  EXPECT(failures > 1000);
}

TEST("stacks: a policy that keeps lengths itself leaks none either, and scopes open whole or not at all") {
  uint64_t failures = 0;
  for (int64_t allowed = 0; allowed < 40; ++allowed) {
    test::BareUpstream bare;
    Limit limit{bare, {}};
    Statistics statistics{limit};
    uint64_t live = 0;
    size_t scopes = 0;
    {
      const FailingHeap heap(allowed);
      for (int step = 0; step < 100; ++step) {
        try {
          live += statistics.allocate(10, 1) != 0;
          statistics.push();
          ++scopes;
        } catch (const std::bad_alloc&) {
          ++failures;
        }
      }
    }
    EXPECT_EQUAL(bare.live_blocks(), live);
    EXPECT_EQUAL(limit.live().bytes, 10 * live);
    EXPECT_EQUAL(statistics.open_scopes(), scopes);
    while (statistics.pop()) {
    }
    EXPECT_EQUAL(statistics.figures().bytes.current, static_cast<int64_t>(10 * live));
  }
  EXPECT(failures > 1000);
}

namespace {

template <bool kHasFilter>
void check_map() {
  HandleMap<uint64_t, kHasFilter> map;
  std::map<uint64_t, uint64_t> model;
  std::mt19937_64 random(9);
  for (int step = 0; step < 200000; ++step) {
    // Dense and far keys, so that runs of places form and are torn apart.
    const uint64_t key = 1 + (random() % 600) * (random() % 2 == 0 ? 1 : uint64_t{1} << 32);
    if (!model.contains(key) && random() % 2 == 0) {
      map.reserve_one();
      map.insert(key, model[key] = random());
    } else {
      EXPECT_EQUAL(map.erase(key), model.erase(key) == 1);
    }
    const uint64_t asked = 1 + random() % 600;
    const auto found = model.find(asked);
    EXPECT_EQUAL(map.find(asked) != nullptr, found != model.end());
    if (found != model.end()) EXPECT_EQUAL(*map.find(asked), found->second);
    EXPECT_EQUAL(map.size(), model.size());
  }
  size_t visited = 0;
  map.for_each([&](uint64_t key, uint64_t value) {
    EXPECT_EQUAL(model.at(key), value);
    ++visited;
  });
  EXPECT_EQUAL(visited, model.size());
}

}  // namespace

TEST("stacks: a map of handles is a map, with a filter and without") {
  check_map<false>();
  check_map<true>();
}
