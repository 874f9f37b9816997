// Every strategy against a slow model of what its name promises, and every arena under a heap that fails.
#include "alloc/arena.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <new>
#include <random>
#include <vector>

#include "alloc/strategies.h"
#include "test/harness.h"

using nautilus::Arena;
using nautilus::FreeOutcome;
using nautilus::Placement;

namespace {

constexpr uint64_t kGranule = 64;

// Allocations of the heap that still succeed; negative: all.
int64_t allocations_left = -1;

Arena make_arena(const char* strategy, uint64_t capacity) {
  return Arena(nautilus::find_strategy(strategy)->make(capacity, kGranule), kGranule, 9, nullptr);
}

// Lowest aligned offset in no live block: first fit, by definition.
std::optional<uint64_t> slow_first_fit(const std::map<uint64_t, uint64_t>& live, uint64_t capacity, uint64_t bytes,
                                       uint64_t alignment) {
  uint64_t at = 0;
  for (const auto& [offset, end] : live) {
    const uint64_t aligned = nautilus::align_up(at, alignment);
    if (aligned + bytes <= offset) return aligned;
    at = end;
  }
  const uint64_t aligned = nautilus::align_up(at, alignment);
  return aligned + bytes <= capacity ? std::optional(aligned) : std::nullopt;
}

struct Live {
  uint64_t handle;
  Placement placement;
};

void expect_sound(const Arena& arena, const std::vector<Live>& live, uint64_t capacity) {
  std::map<uint64_t, uint64_t> ranges;
  uint64_t bytes = 0;
  for (const Live& block : live) {
    ranges[block.placement.offset] = block.placement.offset + block.placement.bytes;
    bytes += block.placement.bytes;
  }
  uint64_t end = 0;
  for (const auto& [from, to] : ranges) {
    EXPECT(from >= end);
    end = to;
  }
  EXPECT(end <= capacity);
  EXPECT_EQUAL(ranges.size(), live.size());
  EXPECT_EQUAL(arena.figures().live_blocks, live.size());
  EXPECT_EQUAL(arena.figures().live_bytes, bytes);
  EXPECT(arena.free_bytes() + bytes <= capacity);
}

}  // namespace

void* operator new(size_t bytes) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

TEST("first_fit: takes the lowest address that fits, for every size and alignment") {
  constexpr uint64_t kCapacity = 4096 * 64 + 32 * 64;
  std::mt19937_64 random(11);
  Arena arena = make_arena("first_fit", kCapacity);
  std::vector<Live> live;
  std::map<uint64_t, uint64_t> model;
  for (int step = 0; step < 30000; ++step) {
    if (live.empty() || random() % 100 < 55) {
      const uint64_t bytes = 1 + random() % (random() % 10 == 0 ? 20000 : 600);
      const uint64_t alignment = kGranule << (random() % 4 == 0 ? random() % 8 : 0);
      const auto expected = slow_first_fit(model, kCapacity, nautilus::align_up(bytes, kGranule), alignment);
      const uint64_t handle = arena.allocate(bytes, alignment);
      EXPECT_EQUAL(handle != 0, expected.has_value());
      if (handle == 0) continue;
      const Placement placement = arena.find(handle)->placement;
      EXPECT_EQUAL(placement.offset, *expected);
      model[placement.offset] = placement.offset + placement.bytes;
      live.push_back({handle, placement});
    } else {
      const size_t at = random() % live.size();
      EXPECT(arena.free(live[at].handle) == FreeOutcome::kFreed);
      EXPECT(arena.free(live[at].handle) == FreeOutcome::kUnknownBlock);
      model.erase(live[at].placement.offset);
      live[at] = live.back();
      live.pop_back();
    }
    if (step % 512 == 0) expect_sound(arena, live, kCapacity);
  }
  for (const Live& block : live) arena.free(block.handle);
  EXPECT_EQUAL(arena.free_bytes(), kCapacity);
  EXPECT_EQUAL(arena.largest_free_bytes(), kCapacity);
}

TEST("first_fit: an arena is rebuilt at the same offsets") {
  constexpr uint64_t kCapacity = 1 << 20;
  std::mt19937_64 random(3);
  Arena before = make_arena("first_fit", kCapacity);
  std::vector<uint64_t> handles;
  for (int block = 0; block < 200; ++block) handles.push_back(before.allocate(1 + random() % 3000, kGranule));
  for (size_t at = 0; at < handles.size(); at += 3) before.free(handles[at]);
  Arena after = make_arena("first_fit", kCapacity);
  for (size_t at = 0; at < handles.size(); ++at) {
    if (at % 3 == 0) continue;
    const auto* block = before.find(handles[at]);
    EXPECT(after.allocate_at(block->placement.offset, block->length) != 0);
    EXPECT_EQUAL(after.allocate_at(block->placement.offset, 1), 0u);
  }
  EXPECT_EQUAL(after.free_bytes(), before.free_bytes());
  EXPECT_EQUAL(after.largest_free_bytes(), before.largest_free_bytes());
  EXPECT_EQUAL(after.allocate_at(kCapacity - kGranule, 2 * kGranule), 0u);
  EXPECT_EQUAL(after.allocate_at(UINT64_MAX / kGranule * kGranule, kGranule), 0u);
}

TEST("stack: frees newest first, refuses anything else, rewinds to marks") {
  Arena arena = make_arena("stack", 1 << 16);
  const uint64_t first = arena.allocate(100, kGranule);
  const uint64_t mark = arena.stack_order()->mark();
  const uint64_t second = arena.allocate(100, 4096);
  EXPECT_EQUAL(arena.find(second)->placement.offset, 4096u);
  EXPECT(arena.free(first) == FreeOutcome::kOrderViolation);
  const uint64_t later_mark = arena.stack_order()->mark();
  arena.allocate(1, kGranule);
  EXPECT(arena.rewind(mark) == FreeOutcome::kFreed);
  EXPECT(arena.find(second) == nullptr);
  EXPECT_EQUAL(arena.figures().live_blocks, 1u);
  EXPECT_EQUAL(arena.free_bytes(), (1u << 16) - 128);  // the padding before `second` came back too
  arena.allocate(1, kGranule);
  EXPECT(arena.rewind(later_mark) == FreeOutcome::kOrderViolation);
  EXPECT_EQUAL(arena.figures().live_blocks, 2u);
  EXPECT(arena.rewind(0) == FreeOutcome::kFreed);
  EXPECT_EQUAL(arena.free_bytes(), 1u << 16);
}

TEST("buddy: blocks are powers of two at multiples of their size, and merge back to the whole") {
  constexpr uint64_t kCapacity = (1 << 20) + (1 << 16) + 64;
  std::mt19937_64 random(5);
  Arena arena = make_arena("buddy", kCapacity);
  EXPECT_EQUAL(arena.largest_free_bytes(), 1u << 20);
  std::vector<Live> live;
  for (int step = 0; step < 30000; ++step) {
    if (live.empty() || random() % 100 < 52) {
      const uint64_t bytes = 1 + random() % 9000;
      const uint64_t alignment = kGranule << (random() % 8);
      const uint64_t largest = arena.largest_free_bytes();
      const uint64_t handle = arena.allocate(bytes, alignment);
      const uint64_t wanted = std::bit_ceil(std::max(nautilus::align_up(bytes, kGranule), alignment));
      EXPECT_EQUAL(handle != 0, wanted <= largest);
      if (handle == 0) continue;
      const Placement placement = arena.find(handle)->placement;
      EXPECT_EQUAL(placement.bytes, wanted);
      EXPECT_EQUAL(placement.offset % placement.bytes, 0u);
      live.push_back({handle, placement});
    } else {
      const size_t at = random() % live.size();
      EXPECT(arena.free(live[at].handle) == FreeOutcome::kFreed);
      live[at] = live.back();
      live.pop_back();
    }
    if (step % 512 == 0) expect_sound(arena, live, kCapacity);
  }
  for (const Live& block : live) arena.free(block.handle);
  EXPECT_EQUAL(arena.free_bytes(), kCapacity);
  EXPECT_EQUAL(arena.largest_free_bytes(), 1u << 20);
}

TEST("arena: when the heap fails in the middle, nothing is changed and nothing is lost") {
  constexpr uint64_t kCapacity = uint64_t{1} << 28;  // room for enough blocks that the metadata grows
  for (const auto& entry : nautilus::strategies()) {
    Arena arena = make_arena(std::string(entry.name).c_str(), kCapacity);
    std::vector<Live> live;
    std::mt19937_64 random(13);
    int failures = 0;
    for (int step = 0; step < 3000; ++step) {
      allocations_left = static_cast<int64_t>(random() % 2);
      uint64_t handle = 0;
      try {
        handle = arena.allocate(1 + random() % 100, kGranule << (random() % 11));
      } catch (const std::bad_alloc&) {
        ++failures;
      }
      allocations_left = -1;
      if (handle != 0) live.push_back({handle, arena.find(handle)->placement});
      if (random() % 4 == 0 && !live.empty()) {
        allocations_left = 0;  // a release must not need the heap
        EXPECT(arena.free(live.back().handle) == FreeOutcome::kFreed);
        allocations_left = -1;
        live.pop_back();
      }
      if (step % 64 == 0) expect_sound(arena, live, kCapacity);
    }
    EXPECT(failures > 0);
    while (!live.empty()) {
      EXPECT(arena.free(live.back().handle) == FreeOutcome::kFreed);
      live.pop_back();
    }
    EXPECT_EQUAL(arena.free_bytes(), kCapacity);
  }
}

TEST("arena: figures count what happened") {
  Arena arena = make_arena("first_fit", 1024);
  const uint64_t block = arena.allocate(1000, 1);
  EXPECT_EQUAL(arena.allocate(1, 1), 0u);
  arena.free(block);
  EXPECT_EQUAL(arena.figures().allocations, 1u);
  EXPECT_EQUAL(arena.figures().failures, 1u);
  EXPECT_EQUAL(arena.figures().frees, 1u);
  EXPECT_EQUAL(arena.figures().high_water_bytes, 1024u);
  EXPECT_EQUAL(arena.allocate((uint64_t{1} << 53) - 1, 65536), 0u);
}
