// SLAB against a slow model: in roomy and in tiny arenas, with magazines, with slots that retire, and after recovery
// from nothing but the ledger, sound or corrupted.
#include "alloc/slab.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "alloc/arena.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

// A ledger in memory of its own, and a SLAB arena over it.
class Bench {
 public:
  Bench(uint64_t capacity, uint64_t granule) : Bench(capacity, granule, nullptr) {
    initialise_ledger(ledger_, capacity, granule, 7);
    start();
  }
  // What a new process finds after the death of `of`: its ledger and nothing else.
  static std::unique_ptr<Bench> copy_of(const Bench& of) {
    return std::unique_ptr<Bench>(new Bench(of.geometry_.capacity, of.geometry_.granule, &of.ledger_));
  }
  ~Bench() {
    arena_.reset();
    std::free(ledger_.base);
  }
  void start() { arena_.emplace(ledger_, geometry_); }
  ArenaOf<Slab>& operator*() { return *arena_; }
  ArenaOf<Slab>* operator->() { return &*arena_; }
  const LedgerMemory& ledger() const { return ledger_; }
  uint64_t capacity() const { return geometry_.capacity; }
  uint64_t granule() const { return geometry_.granule; }
  std::vector<PublishedBlock> published() const { return *read_blocks(ledger_.base, ledger_.bytes); }

 private:
  Bench(uint64_t capacity, uint64_t granule, const LedgerMemory* source) : geometry_{capacity, granule} {
    ledger_.bytes = ledger_bytes_for(capacity, granule);
    ledger_.base = static_cast<std::byte*>(std::aligned_alloc(4096, ledger_.bytes));
    if (source == nullptr) {
      std::memset(ledger_.base, 0, ledger_.bytes);
    } else {
      std::memcpy(ledger_.base, source->base, ledger_.bytes);
    }
  }
  Geometry geometry_;
  LedgerMemory ledger_;
  std::optional<ArenaOf<Slab>> arena_;
};

struct Live {
  uint64_t handle = 0;
  uint64_t bytes = 0;
  uint64_t alignment = 0;
};

class Model {
 public:
  Model(Bench& bench, uint64_t seed) : bench_(bench), random_(seed) {}

  void step(uint64_t most_bytes, unsigned allocate_percent) {
    if (live_.empty() || random_() % 100 < allocate_percent) {
      // Mostly few sizes, as programs have them, so that slabs fill.
      const uint64_t bytes = random_() % 4 == 0 ? 1 + random_() % most_bytes : 1 + (random_() % 12) * most_bytes / 256;
      const uint64_t alignment = random_() % 16 == 0 ? bench_.granule() << (random_() % 5) : 1;
      allocate(bytes, alignment);
    } else {
      free(random_() % live_.size());
    }
  }
  void allocate(uint64_t bytes, uint64_t alignment) {
    const uint64_t largest = bench_->largest_free_bytes();
    const uint64_t handle = bench_->allocate(bytes, alignment);
    if (handle != 0) {
      live_.push_back({handle, bytes, alignment});
    } else if (alignment <= bench_.granule()) {
      EXPECT(align_up(bytes, bench_.granule()) > largest);
      ++failures_;
    }
  }
  // May fail for want of a slot.
  void allocate_any(uint64_t bytes) {
    const uint64_t handle = bench_->allocate(bytes, 1);
    if (handle != 0) live_.push_back({handle, bytes, 1});
  }
  void free(size_t at) {
    EXPECT(bench_->free(live_[at].handle) == FreeOutcome::kFreed);
    EXPECT(bench_->free(live_[at].handle) == FreeOutcome::kUnknownBlock);
    live_[at] = live_.back();
    live_.pop_back();
  }
  // Some rooms go to a magazine; a part of them is published, shorter than its room, a part given back.
  void use_magazine(uint32_t owner) {
    uint32_t slots[24];
    const auto size_class = static_cast<uint32_t>(random_() % 120);
    const uint32_t filled = bench_->reserve(owner, size_class, slots);
    for (uint32_t at = 0; at < filled; ++at) {
      const uint64_t room = class_granules(size_class) * bench_.granule();
      const uint64_t length = 1 + random_() % room;
      if (random_() % 3 == 0) {
        bench_->give_back(owner, {&slots[at], 1});
      } else if (random_() % 3 != 0) {
        Slot& slot = bench_->slots()[slots[at]];
        slot.length = length;
        store_release(slot.word, slot_word(SlotState::kLive, generation_of(slot.word), owner));
        live_.push_back({bench_->slots().handle_of(slots[at]), length, 1});
      } else {
        reserved_.push_back(slots[at]);
      }
    }
  }

  void expect_sound() {
    Slab& slab = bench_->strategy();
    std::map<uint64_t, uint64_t> taken;
    uint64_t taken_bytes = 0;
    const auto take = [&](uint32_t slot) {
      const uint64_t offset = bench_->slots()[slot].offset;
      EXPECT(taken.emplace(offset, offset + slab.room(slot)).second);
      taken_bytes += slab.room(slot);
    };
    for (const Live& block : live_) {
      const uint32_t slot = bench_->slots().find(block.handle);
      EXPECT(slot != kNoSlot);
      EXPECT_EQUAL(bench_->slots()[slot].length, block.bytes);
      EXPECT(slab.room(slot) >= block.bytes);
      EXPECT_EQUAL(bench_->slots()[slot].offset % std::max(block.alignment, bench_.granule()), 0u);
      take(slot);
    }
    for (const uint32_t slot : reserved_) take(slot);
    uint64_t free_bytes = 0;
    uint64_t free_end = 0;
    for (const FreeRange& range : bench_->free_ranges()) {
      EXPECT(range.start > free_end || free_bytes == 0);  // rising, and merged where they touch
      EXPECT(range.end > range.start);
      free_end = range.end;
      free_bytes += range.end - range.start;
      EXPECT(taken.emplace(range.start, range.end).second);
    }
    uint64_t end = 0;
    for (const auto& [from, to] : taken) {
      EXPECT_EQUAL(from, end);
      end = to;
    }
    EXPECT_EQUAL(end, bench_.capacity());
    EXPECT_EQUAL(free_bytes, bench_->free_bytes());
    EXPECT_EQUAL(taken_bytes, bench_->header().taken_bytes);
    EXPECT(bench_->largest_free_bytes() <= free_bytes);
  }
  void expect_largest_fits() {
    const uint64_t largest = bench_->largest_free_bytes();
    if (largest == 0) return;
    const uint64_t handle = bench_->allocate(largest, 1);
    EXPECT(handle != 0);
    EXPECT(bench_->free(handle) == FreeOutcome::kFreed);
  }
  void expect_all_free_at_last(uint32_t owner) {
    while (!live_.empty()) free(live_.size() - 1);
    bench_->detach(owner);
    EXPECT_EQUAL(bench_->free_bytes(), bench_.capacity());
    EXPECT_EQUAL(bench_->largest_free_bytes(), bench_.capacity());
    EXPECT(bench_->allocate(bench_.capacity(), 1) != 0);
  }
  void forget_reserved() { reserved_.clear(); }
  const std::vector<Live>& live() const { return live_; }
  void set_live(std::vector<Live> live) { live_ = std::move(live); }
  uint64_t failures() const { return failures_; }

 private:
  Bench& bench_;
  std::mt19937_64 random_;
  std::vector<Live> live_;
  std::vector<uint32_t> reserved_;
  uint64_t failures_ = 0;
};

}  // namespace

TEST("slab: random blocks and magazines never overlap, and every byte is either taken or free") {
  for (const uint64_t granule : {8, 64, 4096}) {
    Bench bench(granule << 17, granule);
    Model model(bench, granule);
    for (int step = 0; step < 30000; ++step) {
      model.step(300 * granule, step % 10000 < 6000 ? 60 : 35);
      if (step % 300 == 0) model.use_magazine(3);
      if (step % 1000 == 0) model.expect_sound();
      if (step % 1000 == 500) model.expect_largest_fits();
    }
    model.expect_sound();
    // An index over ranges takes a few steps besides; a slab has at most 1024 rooms, and there are 255 classes.
    EXPECT(bench->work().most() <= 2048);
    model.expect_all_free_at_last(3);
  }
}

TEST("slab: a small arena fails only when no range of that size is left") {
  for (uint64_t granules = 1; granules < 4000; granules = granules * 5 / 3 + 1) {
    Bench bench(granules * 64, 64);
    Model model(bench, granules);
    for (int step = 0; step < 4000; ++step) {
      model.step(1 + granules * 16, step % 1000 < 700 ? 65 : 20);
      if (step % 100 == 0) model.expect_sound();
      if (step % 10 == 0) model.expect_largest_fits();
    }
    EXPECT(model.failures() > 0);
    model.expect_all_free_at_last(3);
  }
}

TEST("slab: equal blocks fill an arena, and slots that run out come back") {
  constexpr uint64_t kCapacity = 1 << 20;
  for (const uint64_t bytes : {64, 128, 192, 1000, 4096, 5000, 16384}) {
    Bench bench(kCapacity, 64);
    Model model(bench, bytes);
    // There is one slot for a granule, and slabs need some themselves.
    const uint64_t least_left = bytes == 64 ? kCapacity / 64 : 2 * align_up(bytes, 64);
    while (bench->figures().failures == 0) model.allocate_any(bytes);
    EXPECT(bench->free_bytes() < least_left);
    model.expect_sound();
    while (model.live().size() > 3) model.free(model.live().size() / 2);
    model.expect_sound();
    while (bench->figures().failures < 2) model.allocate_any(bytes);
    EXPECT(bench->free_bytes() < least_left);
    model.expect_all_free_at_last(3);
  }
}

TEST("slab: rooms outlive the generations of their slots") {
  constexpr uint64_t kCapacity = 1 << 20;
  Bench bench(kCapacity, 64);
  std::mt19937_64 random(5);
  std::vector<uint64_t> handles;
  uint32_t retired = 0;
  for (int round = 0; round < 20; ++round) {
    while (const uint64_t handle = bench->allocate(500, 1)) handles.push_back(handle);
    EXPECT_EQUAL(handles.size(), kCapacity / 512);
    std::shuffle(handles.begin(), handles.end(), random);
    for (size_t left = handles.size() / 2; left > 0; --left) {
      uint64_t handle = handles.back();
      handles.pop_back();
      const uint32_t slot = bench->slots().find(handle);
      if (random() % 4 == 0) {
        bench->slots()[slot].word = slot_word(SlotState::kLive, kLastGeneration);
        handle = bench->slots().handle_of(slot);
        ++retired;
      }
      EXPECT(bench->free(handle) == FreeOutcome::kFreed);
      EXPECT(bench->slots().find(handle) == kNoSlot);
    }
  }
  EXPECT(retired > 1000);
  for (const uint64_t handle : handles) EXPECT(bench->free(handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(bench->free_bytes(), kCapacity);
  EXPECT_EQUAL(bench->largest_free_bytes(), kCapacity);
  EXPECT(bench->allocate(kCapacity, 1) != 0);
  EXPECT_EQUAL(bench->slots().retired(), retired);
}

TEST("slab: powers of two at their own alignment take no more than their size") {
  constexpr uint64_t kCapacity = 4 << 20;
  for (uint64_t bytes = 128; bytes <= 65536; bytes *= 2) {
    Bench bench(kCapacity, 64);
    for (uint64_t count = 0; count < kCapacity / bytes; ++count) {
      const uint64_t handle = bench->allocate(bytes, bytes);
      EXPECT(handle != 0);
      EXPECT_EQUAL(bench->slots()[bench->slots().find(handle)].offset % bytes, 0u);
    }
    EXPECT_EQUAL(bench->free_bytes(), 0u);
  }
}

TEST("slab: the ledger alone brings back the published blocks, and the arena carries on") {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Bench bench(1 << 22, seed % 2 == 0 ? 8 : 64);
    Model model(bench, seed);
    for (int step = 0; step < 6000; ++step) {
      model.step(2000, step < 4000 ? 60 : 30);
      if (step % 100 == 0) model.use_magazine(3);
    }
    const auto before = bench.published();
    EXPECT_EQUAL(before.size(), model.live().size());
    const auto recovered = Bench::copy_of(bench);
    recovered->start();
    EXPECT((*recovered)->recover());
    EXPECT_EQUAL((*recovered)->left_out(), 0u);
    const auto after = recovered->published();
    EXPECT_EQUAL(after.size(), before.size());
    for (size_t at = 0; at < before.size(); ++at) {
      EXPECT_EQUAL(after[at].handle, before[at].handle);
      EXPECT_EQUAL(after[at].offset, before[at].offset);
      EXPECT_EQUAL(after[at].length, before[at].length);
    }
    Model next(*recovered, seed + 100);
    next.set_live(model.live());
    next.expect_sound();
    for (int step = 0; step < 6000; ++step) {
      next.step(2000, step < 4000 ? 55 : 40);
      if (step % 500 == 0) next.expect_sound();
    }
    next.expect_sound();
    next.expect_all_free_at_last(3);
  }
}

TEST("slab: of a corrupt ledger the blocks that can be are kept, and nothing crashes") {
  uint64_t left_out = 0;
  uint64_t kept = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    Bench bench(1 << 18, 64);
    Model model(bench, seed);
    for (int step = 0; step < 1200; ++step) model.step(2000, 70);
    const auto corrupt = Bench::copy_of(bench);
    const uint32_t used = corrupt->ledger().header().slots_used;
    for (uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      auto* bytes = reinterpret_cast<unsigned char*>(&corrupt->ledger().slots()[random() % used]);
      bytes[random() % sizeof(Slot)] ^= static_cast<unsigned char>(1u << random() % 8);
    }
    corrupt->start();
    EXPECT((*corrupt)->recover());
    left_out += (*corrupt)->left_out();
    std::vector<Live> live;
    for (const PublishedBlock& block : corrupt->published()) live.push_back({block.handle, block.length, 1});
    kept += live.size();
    Model next(*corrupt, seed);
    next.set_live(std::move(live));
    next.expect_sound();
    for (int step = 0; step < 2000; ++step) next.step(2000, 45);
    while (!next.live().empty()) next.free(next.live().size() - 1);
    EXPECT_EQUAL((*corrupt)->free_bytes(), uint64_t{1} << 18);
  }
  EXPECT(left_out > 100);
  EXPECT(kept > 100 * left_out);
}

TEST("slab: of two blocks that claim one room, or two shapes of one slab, the first is kept") {
  Bench bench(1 << 18, 64);
  std::vector<uint32_t> slots;
  for (int block = 0; block < 200; ++block) slots.push_back(bench->slots().find(bench->allocate(64, 1)));
  const auto corrupt = Bench::copy_of(bench);
  Slot* table = corrupt->ledger().slots();
  const Slot& last = table[slots[199]];
  const auto claim = [&](uint32_t slot, uint32_t prior) {
    const uint32_t word = table[slot].word;
    table[slot] = last;
    table[slot].word = word;
    table[slot].prior = prior;
  };
  claim(slots[190], last.prior);
  claim(slots[191], last.prior + (1u << 15));  // another number of rooms
  corrupt->start();
  EXPECT((*corrupt)->recover());
  EXPECT_EQUAL((*corrupt)->left_out(), 2u);
  Model next(*corrupt, 1);
  std::vector<Live> live;
  for (const PublishedBlock& block : corrupt->published()) live.push_back({block.handle, block.length, 1});
  next.set_live(std::move(live));
  next.expect_sound();
  next.expect_all_free_at_last(3);
}
