// Limits, statistics, traces, second chances and the mutex, each against a slow model of what its name promises.
#include <algorithm>
#include <random>
#include <thread>

#include "alloc/best_fit.h"
#include "policy/limit.h"
#include "policy/on_failure.h"
#include "policy/statistics.h"
#include "policy/thread_safe.h"
#include "policy/trace.h"
#include "test/harness.h"
#include "test/policy_fixture.h"

using namespace nautilus;
using nautilus::test::BareUpstream;
using nautilus::test::Ground;

TEST("limit: a refusal names limit, found and asked, and ends no block") {
  Ground<BestFit> ground(1 << 16);
  Limit limit{ground.arena, {.live_bytes = 1000, .live_blocks = 3}};
  const uint64_t first = limit.allocate(600, 1);
  EXPECT(first != 0);
  EXPECT(!limit.last_refusal());
  EXPECT_EQUAL(limit.allocate(401, 1), 0U);
  EXPECT(limit.last_refusal()->kind == Refusal::Kind::kBytes);
  EXPECT_EQUAL(limit.last_refusal()->limit, 1000U);
  EXPECT_EQUAL(limit.last_refusal()->found, 600U);
  EXPECT_EQUAL(limit.last_refusal()->asked, 401U);
  const uint64_t second = limit.allocate(399, 1);
  EXPECT(limit.allocate(1, 1) != 0);
  EXPECT(limit.free(second) == FreeOutcome::kFreed);
  EXPECT(limit.allocate(1, 1) != 0);
  EXPECT_EQUAL(limit.allocate(1, 1), 0U);
  EXPECT(limit.last_refusal()->kind == Refusal::Kind::kBlocks);
  EXPECT_EQUAL(limit.last_refusal()->limit, 3U);
  EXPECT_EQUAL(limit.last_refusal()->found, 3U);
  EXPECT_EQUAL(limit.last_refusal()->asked, 1U);
  EXPECT_EQUAL(limit.refusals(), 2U);
  EXPECT_EQUAL(ground.arena.figures().failures, 0U);
  EXPECT(limit.free(second) == FreeOutcome::kUnknownBlock);
  EXPECT_EQUAL(limit.live().bytes, 602U);
  limit.set_limits({.live_bytes = 100, .live_blocks = 9});
  EXPECT_EQUAL(limit.allocate(1, 1), 0U);
  EXPECT(limit.free(first) == FreeOutcome::kFreed);
  EXPECT(limit.allocate(98, 1) != 0);
}

TEST("limit: no size overflows it, a full upstream is no refusal, and blocks from before count") {
  BareUpstream upstream;
  upstream.room = 100;
  Limit limit{upstream, {.live_bytes = UINT64_MAX - 1}, {.bytes = 10, .blocks = 1}};
  EXPECT_EQUAL(limit.allocate(UINT64_MAX, 1), 0U);
  EXPECT_EQUAL(limit.last_refusal()->found, 10U);
  EXPECT_EQUAL(limit.refusals(), 1U);
  EXPECT_EQUAL(limit.allocate(101, 1), 0U);
  EXPECT_EQUAL(limit.refusals(), 1U);
  EXPECT_EQUAL(limit.live().bytes, 10U);
  const uint64_t handle = limit.allocate(100, 1);
  EXPECT_EQUAL(limit.live().bytes, 110U);
  EXPECT_EQUAL(limit.live().blocks, 2U);
  EXPECT(limit.free(handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(limit.live().bytes, 10U);
}

namespace {

// Events of one counter, from which the figures of any scope follow by definition.
Counter counted(const std::vector<int64_t>& events, size_t from) {
  Counter counter;
  for (size_t at = from; at < events.size(); ++at) {
    counter.current += events[at];
    counter.peak = std::max(counter.peak, counter.current);
    if (events[at] > 0) counter.total += static_cast<uint64_t>(events[at]);
  }
  return counter;
}

void expect_counter(const Counter& found, const Counter& expected) {
  EXPECT_EQUAL(found.current, expected.current);
  EXPECT_EQUAL(found.peak, expected.peak);
  EXPECT_EQUAL(found.total, expected.total);
}

template <typename U>
void check_statistics(U& upstream, uint32_t seed) {
  Statistics statistics{upstream};
  std::mt19937_64 random(seed);
  std::vector<std::pair<uint64_t, int64_t>> live;
  std::vector<int64_t> bytes;
  std::vector<int64_t> blocks;
  std::vector<size_t> scopes{0};
  for (int step = 0; step < 20000; ++step) {
    const uint64_t what = random() % 100;
    if (what < 5) {
      statistics.push();
      scopes.push_back(bytes.size());
    } else if (what < 10) {
      const auto ended = statistics.pop();
      EXPECT_EQUAL(ended.has_value(), scopes.size() > 1);
      if (ended) {
        expect_counter(ended->bytes, counted(bytes, scopes.back()));
        expect_counter(ended->blocks, counted(blocks, scopes.back()));
        scopes.pop_back();
      }
    } else if (live.empty() || what < 56) {
      const auto asked = static_cast<int64_t>(1 + random() % 3000);
      const uint64_t handle = statistics.allocate(static_cast<uint64_t>(asked), 1);
      if (handle == 0) continue;
      live.emplace_back(handle, asked);
      bytes.push_back(asked);
      blocks.push_back(1);
    } else {
      const size_t at = random() % live.size();
      EXPECT(statistics.free(live[at].first) == FreeOutcome::kFreed);
      EXPECT(statistics.free(live[at].first) == FreeOutcome::kUnknownBlock);
      bytes.push_back(-live[at].second);
      blocks.push_back(-1);
      live[at] = live.back();
      live.pop_back();
    }
    if (step % 16 == 0) {
      expect_counter(statistics.figures().bytes, counted(bytes, scopes.back()));
      expect_counter(statistics.figures().blocks, counted(blocks, scopes.back()));
      EXPECT_EQUAL(statistics.open_scopes(), scopes.size() - 1);
    }
  }
}

}  // namespace

TEST("statistics: every scope has the figures that follow from its events, and folds into the one around it") {
  Ground<BestFit> ground(1 << 17);
  check_statistics(ground.arena, 1);
  BareUpstream bare;
  check_statistics(bare, 2);
  Ground<BestFit> other(1 << 17);
  Arena& virtual_face = other.arena;
  check_statistics(virtual_face, 3);
}

TEST("on failure: asks again while the callback says so, at most as often as allowed") {
  BareUpstream upstream;
  upstream.room = 100;
  std::vector<uint64_t> held{upstream.allocate(40, 1), upstream.allocate(40, 1)};
  std::vector<uint32_t> attempts;
  auto free_one = [&](uint64_t bytes, uint64_t alignment, uint32_t attempt) {
    EXPECT_EQUAL(bytes, 90U);
    EXPECT_EQUAL(alignment, 8U);
    attempts.push_back(attempt);
    if (held.empty()) return false;
    upstream.free(held.back());
    held.pop_back();
    return true;
  };
  OnFailure second_chance{upstream, free_one};
  const uint64_t handle = second_chance.allocate(90, 8);
  EXPECT(handle != 0);
  EXPECT((attempts == std::vector<uint32_t>{1, 2}));
  EXPECT_EQUAL(second_chance.allocate(90, 8), 0U);
  EXPECT((attempts == std::vector<uint32_t>{1, 2, 1}));
  EXPECT(second_chance.free(handle) == FreeOutcome::kFreed);

  uint32_t calls = 0;
  OnFailure stubborn{upstream, [&](uint64_t, uint64_t, uint32_t) { return ++calls, true; }, 5};
  EXPECT_EQUAL(stubborn.allocate(1000, 1), 0U);
  EXPECT_EQUAL(calls, 5U);
}

namespace {

// Takes what it has room for.
struct Log {
  std::vector<TraceRecord> records;
  size_t room = SIZE_MAX;
  size_t calls = 0;

  auto sink() {
    return [this](std::span<const TraceRecord> batch) noexcept {
      ++calls;
      const size_t taken = std::min(room - records.size(), batch.size());
      records.insert(records.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(taken));
      return taken;
    };
  }
};

}  // namespace

TEST("trace: a replay of the log places every block where the run did") {
  Ground<BestFit> ground(1 << 18);
  Log log;
  std::vector<uint64_t> offsets;  // by id
  std::mt19937_64 random(4);
  {
    const uint64_t from_before = ground.arena.allocate(1, 1);
    Trace trace{ground.arena, log.sink(), {.batch_records = 7}};
    EXPECT(trace.free(from_before) == FreeOutcome::kFreed);
    EXPECT_EQUAL(trace.foreign_frees(), 1U);
    std::vector<uint64_t> live;
    for (int step = 0; step < 20000; ++step) {
      if (live.empty() || random() % 100 < 52) {
        const uint64_t handle = trace.allocate(1 + random() % 5000, 1);
        if (handle == 0) continue;
        offsets.push_back(trace.find(handle)->offset);
        live.push_back(handle);
      } else {
        const size_t at = random() % live.size();
        EXPECT(trace.free(live[at]) == FreeOutcome::kFreed);
        EXPECT(trace.free(live[at]) == FreeOutcome::kUnknownBlock);
        live[at] = live.back();
        live.pop_back();
      }
    }
    EXPECT_EQUAL(trace.lost_records(), 0U);
    EXPECT(trace.waiting_records() < 7);
    EXPECT_EQUAL(trace.written_records(), log.records.size());
    EXPECT(ground.arena.figures().failures > 0);
  }
  EXPECT_EQUAL(log.calls, (log.records.size() + 6) / 7);
  Ground<BestFit> replay(1 << 18);
  std::vector<uint64_t> handles;
  for (const TraceRecord& record : log.records) {
    if (record.operation == TraceOperation::kAllocate) {
      EXPECT_EQUAL(record.id, handles.size());
      handles.push_back(replay.arena.allocate(record.bytes, 1));
      EXPECT_EQUAL(find_block(replay.arena, handles.back())->offset, offsets[record.id]);
    } else {
      EXPECT_EQUAL(record.bytes, 0U);
      EXPECT(replay.arena.free(handles[record.id]) == FreeOutcome::kFreed);
    }
  }
  EXPECT_EQUAL(handles.size(), offsets.size());
}

TEST("trace: a record lies in memory as the format says") {
  const TraceRecord record{TraceOperation::kFree, 0x04030201, 0x0807060504030201};
  const uint8_t expected[16] = {1, 0, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT(std::memcmp(&record, expected, sizeof expected) == 0);
}

TEST("trace: a sink that is full for a while loses nothing, one that stays full ends the log, counted") {
  BareUpstream upstream;
  Log log{.records = {}, .room = 3};
  Trace trace{upstream, log.sink(), {.batch_records = 4}};
  for (int block = 0; block < 6; ++block) trace.allocate(10, 1);
  EXPECT_EQUAL(log.records.size(), 3U);
  EXPECT(!trace.flush());
  EXPECT_EQUAL(trace.waiting_records(), 3U);
  log.room = 4;
  EXPECT(!trace.flush());
  log.room = 6;
  EXPECT(trace.flush());
  EXPECT_EQUAL(trace.lost_records(), 0U);
  for (int block = 0; block < 4; ++block) trace.free(static_cast<uint64_t>(block + 1));
  const uint64_t lost = trace.allocate(10, 1);
  EXPECT(lost != 0);
  EXPECT_EQUAL(trace.lost_records(), 1U);
  // The log stays a prefix, even when there is room again.
  log.room = SIZE_MAX;
  EXPECT(trace.free(lost) == FreeOutcome::kFreed);
  EXPECT(trace.free(5) == FreeOutcome::kFreed);
  EXPECT(trace.flush());
  trace.allocate(10, 1);
  EXPECT_EQUAL(trace.lost_records(), 4U);
  EXPECT_EQUAL(trace.foreign_frees(), 0U);
  EXPECT_EQUAL(log.records.size(), 10U);
  for (uint32_t at = 0; at < 10; ++at) EXPECT_EQUAL(log.records[at].id, at % 6);
}

TEST("trace: ends when no id is left, and never uses one again") {
  BareUpstream upstream;
  Log log;
  Trace trace{upstream, log.sink(), {.batch_records = 1, .first_id = UINT32_MAX}};
  const uint64_t last = trace.allocate(10, 1);
  EXPECT(trace.allocate(10, 1) != 0);
  EXPECT_EQUAL(trace.lost_records(), 1U);
  EXPECT(trace.free(last) == FreeOutcome::kFreed);
  EXPECT_EQUAL(trace.lost_records(), 2U);
  EXPECT(trace.flush());
  EXPECT_EQUAL(log.records.size(), 1U);
  EXPECT_EQUAL(log.records[0].id, UINT32_MAX);
}

TEST("thread safe: threads that share one arena leave it sound") {
  Ground<BestFit> ground(1 << 20);
  Statistics statistics{ground.arena};
  ThreadSafe shared{statistics};
  std::vector<std::thread> threads;
  std::atomic<uint64_t> wrong{0};
  for (uint32_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&shared, &wrong, seed] {
      std::mt19937_64 random(seed);
      std::vector<std::pair<uint64_t, uint64_t>> live;
      for (int step = 0; step < 5000; ++step) {
        if (live.empty() || random() % 2 == 0) {
          const uint64_t bytes = 1 + random() % 500;
          const uint64_t handle = shared.allocate(bytes, 1);
          if (handle != 0) live.emplace_back(handle, bytes);
        } else {
          const auto [handle, bytes] = live.back();
          live.pop_back();
          const auto place = shared.find(handle);
          if (!place || place->bytes != bytes) ++wrong;
          if (shared.free(handle) != FreeOutcome::kFreed) ++wrong;
        }
      }
      for (const auto& [handle, bytes] : live) wrong += shared.free(handle) != FreeOutcome::kFreed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQUAL(wrong.load(), 0U);
  const StatisticsFigures figures = shared.locked([](auto& below) { return below.figures(); });
  EXPECT_EQUAL(figures.bytes.current, 0);
  EXPECT_EQUAL(figures.blocks.total, ground.arena.figures().allocations);
  EXPECT_EQUAL(ground.arena.figures().live_blocks, 0U);
  EXPECT_EQUAL(ground.arena.free_bytes(), uint64_t{1} << 20);
}
