// Four threads on one arena, as workers of one JavaScript program are: the arena behind a mutex, and beside it each
// thread publishes and ends blocks by itself, by an exchange of the slot's word. Every entry of the registry.
#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "test/conformance.h"

using namespace nautilus;
using namespace nautilus::test;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kCapacity = uint64_t{1} << 22;
constexpr uint32_t kThreads = 4;
constexpr int kSteps = 8000;
constexpr uint32_t kClass = 3;
constexpr uint64_t kRoom = class_granules(kClass) * kGranule;
constexpr size_t kBatch = 16;

// What all threads see: handles that any of them may end, some of them ended long ago.
using Board = std::array<std::atomic<uint64_t>, 128>;

struct Shared {
  explicit Shared(TestArena& whole) : arena(whole) {}
  TestArena& arena;
  std::mutex mutex;
  Board board{};
  std::atomic<uint64_t> published = 0;
  std::atomic<uint64_t> ended = 0;
};

class Worker {
 public:
  Worker(Shared& shared, uint32_t number)
      : shared_(shared), slots_(shared.arena.ledger.memory().slots()), owner_(number + 1), random_(number) {}

  void run() {
    for (int step = 0; step < kSteps; ++step) {
      std::atomic<uint64_t>& place = shared_.board[random_() % shared_.board.size()];
      const uint64_t handle = random_() % 8 == 0 ? allocate_under_lock() : publish();
      if (handle != 0) {
        ++shared_.published;
        mine_.push_back(handle);
        place.store(handle);
      }
      // Two threads may try to end the same block at the same time: one of them does.
      const uint64_t found = shared_.board[random_() % shared_.board.size()].load();
      if (found != 0) end(found);
      if (mine_.size() > 400) {
        end(mine_.back());
        mine_.pop_back();
      }
    }
    for (const uint64_t handle : mine_) end(handle);
    const std::lock_guard lock(shared_.mutex);
    shared_.arena->give_back(owner_, magazine_);
    count_cached(0);
  }

 private:
  Attachment& attachment() const { return shared_.arena.header().attachments[owner_ - 1]; }
  void count_cached(size_t rooms) { store_relaxed(attachment().cached_bytes, static_cast<double>(rooms * kRoom)); }

  uint64_t publish() {
    if (magazine_.empty()) {
      magazine_.resize(kBatch);
      const std::lock_guard lock(shared_.mutex);
      magazine_.resize(shared_.arena->reserve(owner_, kClass, magazine_));
      if (magazine_.empty()) return 0;
    }
    const uint32_t slot = magazine_.back();
    magazine_.pop_back();
    count_cached(magazine_.size());
    Slot& at = slots_[slot];
    uint32_t word = load_acquire(at.word);
    EXPECT(state_of(word) == SlotState::kReserved && owner_of(word) == owner_);
    const uint32_t generation = generation_of(word);
    store_relaxed(at.length, uint64_t{1} + random_() % kRoom);
    store_relaxed(attachment().allocations, attachment().allocations + 1);
    const uint32_t live = slot_word(SlotState::kLive, generation, owner_);
    EXPECT(std::atomic_ref<uint32_t>(at.word).compare_exchange_strong(word, live));
    return (uint64_t{generation} << 32) | (uint64_t{shared_.arena.header().tag} << kSlotBits) | slot;
  }

  uint64_t allocate_under_lock() {
    const std::lock_guard lock(shared_.mutex);
    return shared_.arena->allocate(1 + random_() % 3000, uint64_t{64} << (random_() % 4));
  }

  void end(uint64_t handle) {
    const bool done = random_() % 4 == 0 ? end_under_lock(handle) : end_alone(handle) || end_under_lock(handle);
    if (done) ++shared_.ended;
  }

  bool end_under_lock(uint64_t handle) {
    const std::lock_guard lock(shared_.mutex);
    const FreeOutcome outcome = shared_.arena->free(handle);
    EXPECT(outcome != FreeOutcome::kOrderViolation);
    return outcome == FreeOutcome::kFreed;
  }

  // The room goes into this thread's magazine, whoever published the block.
  bool end_alone(uint64_t handle) {
    const auto slot = static_cast<uint32_t>(handle & (kMaxSlots - 1));
    const auto generation = static_cast<uint32_t>(handle >> 32);
    uint32_t word = load_acquire(slots_[slot].word);
    if (state_of(word) != SlotState::kLive || generation_of(word) != generation) return false;
    if (owner_of(word) == 0 || magazine_.size() >= 2 * kBatch || generation == kLastGeneration) return false;
    const uint32_t reserved = slot_word(SlotState::kReserved, generation + 1, owner_);
    if (!std::atomic_ref<uint32_t>(slots_[slot].word).compare_exchange_strong(word, reserved)) return false;
    store_relaxed(attachment().frees, attachment().frees + 1);
    magazine_.push_back(slot);
    count_cached(magazine_.size());
    return true;
  }

  Shared& shared_;
  Slot* slots_;
  uint32_t owner_;
  std::mt19937_64 random_;
  std::vector<uint32_t> magazine_;
  std::vector<uint64_t> mine_;
};

}  // namespace

CONFORMANCE("four threads publish and end blocks beside a mutex: each block ends once and nothing is lost") {
  TestArena arena(entry, kCapacity);
  if (arena->is_ordered()) throw Skipped{"threads free in any order, which this strategy refuses"};
  arena->set_contended(true);
  arena.header().attachments_used = kThreads;
  Shared shared(arena);
  std::array<std::string, kThreads> failures;
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&shared, &failures, number] {
      try {
        Worker(shared, number).run();
      } catch (const std::exception& error) {
        failures[number] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) EXPECT_EQUAL(failure, "");
  EXPECT(shared.published > uint64_t{kThreads} * kSteps / 2);
  EXPECT_EQUAL(shared.ended.load(), shared.published.load());
  EXPECT_EQUAL(arena->figures().allocations, shared.published.load());
  EXPECT_EQUAL(arena->figures().live_blocks, 0u);
  EXPECT_EQUAL(arena.blocks().size(), 0u);
  for (uint32_t owner = 1; owner <= kThreads; ++owner) arena->detach(owner);
  EXPECT_EQUAL(arena->figures().live_bytes, 0u);
  EXPECT_EQUAL(arena->figures().allocations, shared.published.load());
  EXPECT_EQUAL(arena->free_bytes(), kCapacity);
}
