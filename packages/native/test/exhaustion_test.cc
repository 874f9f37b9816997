// A heap that fails at the first, second, third ... allocation of an operation: it throws, changes nothing, and the
// arena goes on. Releases never ask the heap at all. Every entry of the registry.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

#include "test/conformance.h"
#include "test/failing_heap.h"

using namespace nautilus;
using namespace nautilus::test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NAUTILUS_HEAP_OF_A_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NAUTILUS_HEAP_OF_A_SANITIZER 1
#endif
#endif

#ifdef NAUTILUS_HEAP_OF_A_SANITIZER
// So that a request no machine can meet is an answer under a sanitizer, too.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=768"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1:max_allocation_size_mb=768"; }
#endif

namespace {

constexpr uint64_t kCapacity = uint64_t{1} << 24;

// What a caller can see of an arena, as one text.
std::string seen(const TestArena& arena) {
  const ArenaFigures figures = arena->figures();
  std::ostringstream text;
  text << figures.live_blocks << ' ' << figures.live_bytes << ' ' << figures.allocations << ' ' << figures.frees << ' '
       << figures.failures << ' ' << figures.high_water_bytes << ' ' << arena->free_bytes() << ' '
       << arena->largest_free_bytes() << ' ' << arena->mark() << '\n';
  for (const FreeRange& range : arena->free_ranges()) text << range.start << '-' << range.end << ' ';
  for (const PublishedBlock& block : arena.blocks()) text << block.handle << '@' << block.offset << ' ';
  return text.str();
}

// Runs it with 0, 1, 2 ... allocations granted until it needs no more; answers how often it failed.
template <typename Operation, typename Unchanged>
int fail_at_each(Operation operation, Unchanged unchanged) {
  for (int64_t granted = 0;; ++granted) {
    EXPECT(granted < 1000);
    bool failed = false;
    {
      const FailingHeap heap(granted);
      try {
        operation();
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    if (!failed) return static_cast<int>(granted);
    unchanged();
  }
}

}  // namespace

CONFORMANCE("a heap that fails while an arena is made leaves nothing behind, and the next attempt works") {
  TestArena arena(entry, kCapacity);
  const int failures = fail_at_each([&] { arena.arena = entry.make(arena.ledger.memory(), arena.geometry); },
                                    [&] { EXPECT_EQUAL(arena.header().slots_used, 0u); });
  EXPECT(failures >= 1);
  const uint64_t handle = arena->allocate(1000, 4096);
  EXPECT(handle != 0);
  EXPECT(arena->free(handle) == FreeOutcome::kFreed);
}

CONFORMANCE("a heap that fails while blocks are allocated changes nothing, and no release asks it for memory") {
  TestArena arena(entry, kCapacity);
  Model model(arena);
  std::mt19937_64 random(81);
  int failures = 0;
  for (int step = 0; step < 4000; ++step) {
    if (model.live().empty() || random() % 100 < 75) {
      const uint64_t bytes = log_uniform(random, 1, 6000);
      const uint64_t alignment = random() % 4 == 0 ? uint64_t{1} << (random() % 17) : 1;
      const std::string before = step % 16 == 0 ? seen(arena) : "";
      uint64_t handle = 0;
      const uint64_t taken = arena->figures().live_bytes;
      failures += fail_at_each([&] { handle = arena->allocate(bytes, alignment); },
                               [&] {
                                 EXPECT_EQUAL(arena->figures().live_bytes, taken);
                                 if (!before.empty()) EXPECT(seen(arena) == before);
                               });
      EXPECT(handle != 0);
      model.adopt(handle, bytes, alignment, arena->figures().live_bytes - taken);
    } else {
      const size_t at = arena->is_ordered() ? model.live().size() - 1 : random() % model.live().size();
      const uint64_t handle = model.live()[at].handle;
      FreeOutcome outcome;
      {
        const FailingHeap none(0);
        outcome = arena->free(handle);
      }
      EXPECT(outcome == FreeOutcome::kFreed);
      model.forget(at);
    }
  }
  // BUDDY and STACK take what they need when they are made.
  if (!arena->is_ordered() && !arena.is("buddy")) EXPECT(failures > 0);
  while (!model.live().empty()) {
    const FailingHeap none(0);
    EXPECT(arena->free(model.live().back().handle) == FreeOutcome::kFreed);
    model.forget(model.live().size() - 1);
  }
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
}

CONFORMANCE("a heap that fails while rooms are reserved loses none that was taken") {
  constexpr uint64_t kLarge = uint64_t{1} << 32;
  TestArena arena(entry, kLarge);
  if (arena->is_ordered()) throw Skipped{"rooms taken in advance come back in any order, which this strategy refuses"};
  std::mt19937_64 random(82);
  std::vector<uint32_t> held;
  int failures = 0;
  int shorter = 0;
  for (int round = 0; round < 400; ++round) {
    const auto size_class = static_cast<uint32_t>(random() % 80);
    for (int64_t granted = 0, rooms = 0; rooms < 16; ++granted) {
      std::vector<uint32_t> slots(16, kNoSlot);
      uint32_t filled = 0;
      bool failed = false;
      {
        const FailingHeap heap(granted);
        try {
          filled = arena->reserve(1, size_class, slots);
        } catch (const std::bad_alloc&) {
          failed = true;
        }
      }
      // It throws when it has nothing, and else tells of all that it has.
      EXPECT_EQUAL(failed, filled == 0);
      EXPECT_EQUAL(std::count(slots.begin(), slots.end(), kNoSlot), 16 - static_cast<long>(filled));
      rooms = filled;
      failures += failed ? 1 : 0;
      shorter += filled > 0 && filled < 16 ? 1 : 0;
      held.insert(held.end(), slots.begin(), slots.begin() + filled);
    }
  }
  if (!arena.is("buddy")) EXPECT(failures + shorter > 0);
  EXPECT_EQUAL(arena->figures().live_blocks, 0u);
  {
    const FailingHeap none(0);
    arena->give_back(1, held);
  }
  EXPECT_EQUAL(arena->free_bytes(), kLarge);
}

CONFORMANCE("a heap that fails during recovery loses no block: another arena tries again") {
  TestArena dead(entry, kCapacity);
  Model model(dead);
  std::mt19937_64 random(83);
  for (int step = 0; step < 3000; ++step) {
    if (model.live().empty() || random() % 100 < 70) {
      model.allocate(log_uniform(random, 1, 6000), random() % 4 == 0 ? 4096 : 1);
    } else {
      model.free_any(random());
    }
  }
  TestArena next(dead, false);
  const std::vector<PublishedBlock> published = next.blocks();
  bool recovered = false;
  const int failures = fail_at_each(
      [&] {
        next.arena = entry.make(next.ledger.memory(), next.geometry);
        recovered = next->recover();
      },
      [&] {
        const std::vector<PublishedBlock> still = next.blocks();
        EXPECT_EQUAL(still.size(), published.size());
        for (size_t at = 0; at < still.size(); ++at) EXPECT_EQUAL(still[at].handle, published[at].handle);
      });
  EXPECT(failures >= 2);
  EXPECT(recovered);
  EXPECT_EQUAL(next->left_out(), 0u);
  EXPECT_EQUAL(next->figures().live_bytes, model.taken());
}

CONFORMANCE("a heap that fails while free ranges or blocks are listed changes nothing") {
  TestArena arena(entry, kCapacity);
  Model model(arena);
  for (int block = 0; block < 100; ++block) model.allocate(1000, 1);
  if (!arena->is_ordered()) {
    for (int block = 0; block < 50; ++block) model.free(static_cast<size_t>(block));
  }
  const std::string before = seen(arena);
  size_t ranges = 0;
  size_t blocks = 0;
  EXPECT(fail_at_each([&] { ranges = arena->free_ranges().size(); }, [&] { EXPECT(seen(arena) == before); }) > 0);
  EXPECT(fail_at_each([&] { blocks = arena.blocks().size(); }, [&] { EXPECT(seen(arena) == before); }) > 0);
  EXPECT(ranges > 0);
  EXPECT_EQUAL(blocks, model.live().size());
}

TEST("buddy: a segment whose bits get no memory is refused cleanly") {
  // 2^32 - 1 granules want 1 GiB of address space, which the sanitizer above refuses; else a limit does.
  constexpr uint64_t kHuge = (uint64_t{1} << 32) - 1;
  const SparseLedger ledger(ledger_bytes_for(kHuge, 1));
  initialise_ledger(ledger.memory(), kHuge, 1, 1);
#ifndef NAUTILUS_HEAP_OF_A_SANITIZER
  const pid_t child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    const rlimit limit{uint64_t{1} << 30, uint64_t{1} << 30};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(3);
    try {
      const auto arena = find_strategy("buddy")->make(ledger.memory(), {kHuge, 1});
      ::_exit(1);
    } catch (const std::bad_alloc&) {
      ::_exit(0);
    }
  }
  int status = 0;
  EXPECT_EQUAL(::waitpid(child, &status, 0), child);
  EXPECT(WIFEXITED(status));
  EXPECT_EQUAL(WEXITSTATUS(status), 0);
#else
  bool refused = false;
  try {
    const auto arena = find_strategy("buddy")->make(ledger.memory(), {kHuge, 1});
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  EXPECT(refused);
#endif
  EXPECT_EQUAL(ledger.memory().header().slots_used, 0u);
}
