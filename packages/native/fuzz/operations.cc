// Any sequence of operations on an arena of every strategy, against a model of what lives. What a thread's magazines in
// JavaScript do by themselves (ts/magazines.ts) is done here in the same order of stores.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "fuzz/input.h"

using namespace nautilus;
using namespace nautilus::fuzz;

namespace {

constexpr uint32_t kOwners = 3;
constexpr uint8_t kTag = 7;

struct Block {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t room = 0;
};

class Model {
 public:
  Model(const StrategyEntry& entry, Geometry geometry, Input& input)
      : entry_(entry), geometry_(geometry), input_(input) {
    bytes_ = std::make_unique<LedgerBytes>(ledger_bytes_for(geometry.capacity, geometry.granule));
    // Some slots are near the end of their generations, so that they retire under way.
    if (input.byte() % 4 == 0) {
      for (uint32_t slot = 0; slot < slots_for(geometry.capacity, geometry.granule); slot += 3) {
        ledger().slots()[slot].word = slot_word(SlotState::kFree, kLastGeneration - slot % 4);
      }
      ledger().header().magic = kLedgerMagic;
    }
    initialise_ledger(ledger(), geometry.capacity, geometry.granule, kTag);
    arena_ = entry.make(ledger(), geometry);
  }

  void step() {
    switch (input_.byte() % 16) {
      case 0: case 1: case 2: case 3: return allocate();
      case 4: case 5: case 6: return free();
      case 7: return free_what_is_none();
      case 8: return arena_->is_ordered() ? rewind() : reserve();
      case 9: case 10: return arena_->is_ordered() ? allocate() : publish();
      case 11: return arena_->is_ordered() ? free_out_of_order() : take_back();
      case 12: return arena_->is_ordered() ? rewind() : give_back();
      case 13: return detach_or_recover();
      case 14: return allocate_at();
      case 15: return many();
    }
  }

  void check() {
    const ArenaFigures figures = arena_->figures();
    uint64_t cached = 0;
    for (const double bytes : cached_) cached += static_cast<uint64_t>(bytes);
    uint64_t taken = 0;
    for (const auto& [slot, room] : reserved_) taken += room;
    EXPECT_EQUAL(cached, taken);
    for (const auto& [handle, block] : live_) taken += block.room;
    EXPECT_EQUAL(figures.live_blocks, live_.size());
    EXPECT_EQUAL(figures.live_bytes, taken - cached);
    EXPECT_EQUAL(figures.cached_bytes, cached);
    EXPECT_EQUAL(figures.allocations, allocations_);
    EXPECT_EQUAL(figures.frees, allocations_ - live_.size());
    EXPECT_EQUAL(figures.failures, failures_);
    EXPECT_EQUAL(figures.high_water_bytes, high_water_);
    EXPECT(arena_->free_bytes() + taken <= geometry_.capacity);
    // STACK skips room for alignment; in a slab, rooms whose slots retired are lost at a recovery when no slot is left.
    if (!arena_->is_ordered() && !may_have_lost_rooms_) EXPECT_EQUAL(arena_->free_bytes() + taken, geometry_.capacity);
    uint64_t free_bytes = 0;
    uint64_t largest = 0;
    uint64_t end = 0;
    for (const FreeRange& range : arena_->free_ranges()) {
      EXPECT(range.start >= end && range.end > range.start);
      end = range.end;
      free_bytes += range.end - range.start;
      largest = std::max(largest, range.end - range.start);
      const auto behind = ends_.lower_bound(range.start);
      EXPECT(behind == ends_.end() || behind->first >= range.end);
      EXPECT(behind == ends_.begin() || std::prev(behind)->second <= range.start);
    }
    EXPECT(end <= geometry_.capacity);
    EXPECT_EQUAL(free_bytes, arena_->free_bytes());
    EXPECT(arena_->largest_free_bytes() <= largest);
    if (arena_->can_place_at()) EXPECT_EQUAL(arena_->largest_free_bytes(), largest);
    const std::vector<PublishedBlock> published = *read_blocks(ledger().base, ledger().bytes);
    EXPECT_EQUAL(published.size(), live_.size());
    for (const PublishedBlock& block : published) {
      const auto found = live_.find(block.handle);
      EXPECT(found != live_.end());
      EXPECT_EQUAL(block.offset, found->second.offset);
      EXPECT_EQUAL(block.length, found->second.length);
      EXPECT_EQUAL(block.room, found->second.room);
    }
  }

  void free_all() {
    for (uint32_t owner = 1; owner <= kOwners; ++owner) detach(owner);
    EXPECT(reserved_.empty());
    while (!live_.empty()) free_block(arena_->is_ordered() ? newest_.back() : live_.begin()->first);
    check();
    if (may_have_lost_rooms_) return;
    EXPECT_EQUAL(arena_->free_bytes(), geometry_.capacity);
    if (!is("buddy")) EXPECT_EQUAL(arena_->largest_free_bytes(), geometry_.capacity);
    if (is("buddy")) EXPECT_EQUAL(arena_->largest_free_bytes(), std::bit_floor(geometry_.capacity));
  }

 private:
  LedgerMemory ledger() const { return bytes_->memory(); }
  Slot& slot(uint64_t number) const { return ledger().slots()[number & (kMaxSlots - 1)]; }
  LedgerHeader& header() const { return ledger().header(); }
  bool is(std::string_view name) const { return entry_.name == name; }
  uint64_t handle_of(uint32_t number) const {
    return uint64_t{generation_of(slot(number).word)} << 32 | uint64_t{kTag} << kSlotBits | number;
  }

  void take_place(uint64_t offset, uint64_t room, uint64_t alignment) {
    EXPECT(room > 0 && room % geometry_.granule == 0 && room <= geometry_.capacity);
    EXPECT(offset <= geometry_.capacity - room && offset % std::max(alignment, geometry_.granule) == 0);
    const auto behind = ends_.lower_bound(offset);
    EXPECT(behind == ends_.end() || behind->first >= offset + room);
    EXPECT(behind == ends_.begin() || std::prev(behind)->second <= offset);
    ends_.emplace(offset, offset + room);
  }

  void note_live(uint64_t handle, const Block& block) {
    EXPECT(handle != 0 && handle <= kMaxSafeInteger);
    EXPECT(block.room >= block.length);
    EXPECT(live_.emplace(handle, block).second);
    newest_.push_back(handle);
    ++allocations_;
  }

  void note_new(uint64_t handle, uint64_t bytes, uint64_t alignment, uint64_t taken_before) {
    const Slot& at = slot(handle);
    const Block block{at.offset, at.length, header().taken_bytes - taken_before};
    EXPECT_EQUAL(block.length, bytes);
    take_place(block.offset, block.room, alignment);
    note_live(handle, block);
    high_water_ = std::max(high_water_, header().taken_bytes);
  }

  void allocate() { allocate(input_.byte() % 32 == 0 ? input_.number(6) + 1 : input_.size(13)); }
  void allocate(uint64_t bytes) {
    const uint8_t dice = input_.byte();
    const uint64_t alignment = dice % 4 == 0 ? uint64_t{1} << (dice / 4 % 17) : 1;
    const uint64_t before = header().taken_bytes;
    const uint64_t largest = arena_->largest_free_bytes();
    const bool has_slots = arena_->slots().used() + 64 < header().slot_capacity;
    const uint64_t handle = arena_->allocate(bytes, alignment);
    if (handle != 0) return note_new(handle, bytes, alignment, before);
    ++failures_;
    EXPECT_EQUAL(header().taken_bytes, before);
    if (alignment <= geometry_.granule && has_slots) EXPECT(align_up(bytes, geometry_.granule) > largest);
  }

  void allocate_at() {
    const uint64_t offset = input_.number(2) * geometry_.granule % (geometry_.capacity + geometry_.granule);
    const uint64_t bytes = input_.size(12);
    const uint64_t before = header().taken_bytes;
    const uint64_t handle = arena_->allocate_at(offset, bytes);
    if (!arena_->can_place_at()) return EXPECT_EQUAL(handle, 0u);
    if (handle == 0) {
      ++failures_;
      return;
    }
    EXPECT_EQUAL(slot(handle).offset, offset);
    note_new(handle, bytes, 1, before);
  }

  uint64_t any_live() {
    if (arena_->is_ordered()) return newest_.back();
    const auto at = live_.lower_bound(uint64_t{input_.byte()} << 32 | uint64_t{kTag} << kSlotBits | input_.byte());
    return at == live_.end() ? live_.begin()->first : at->first;
  }

  void forget(uint64_t handle) {
    std::erase(newest_, handle);
    live_.erase(handle);
    stale_[stale_at_++ % stale_.size()] = handle;
  }

  void free() {
    if (!live_.empty()) free_block(any_live());
  }
  void free_block(uint64_t handle) {
    ends_.erase(live_.at(handle).offset);
    EXPECT(arena_->free(handle) == FreeOutcome::kFreed);
    forget(handle);
    EXPECT(arena_->free(handle) == FreeOutcome::kUnknownBlock);
  }

  void free_what_is_none() {
    const uint64_t stale = stale_[input_.byte() % stale_.size()];
    EXPECT(arena_->free(stale) == FreeOutcome::kUnknownBlock);
    const uint64_t random = input_.number(8) >> (input_.byte() % 64);
    if (!live_.contains(random)) EXPECT(arena_->free(random) == FreeOutcome::kUnknownBlock);
    if (live_.empty()) return;
    // Another arena's, an earlier and a later block's, and what is no 53 bits long.
    const uint64_t handle = any_live();
    for (const uint64_t bit : {kSlotBits, kSlotBits + kTagBits - 1, 32u, 52u, 53u, 63u}) {
      EXPECT(arena_->free(handle ^ uint64_t{1} << bit) == FreeOutcome::kUnknownBlock);
    }
  }

  void free_out_of_order() {
    if (newest_.size() < 2) return;
    const uint64_t handle = newest_[input_.byte() % (newest_.size() - 1)];
    EXPECT(arena_->free(handle) == FreeOutcome::kOrderViolation);
  }

  void rewind() {
    const uint64_t stale = stale_[input_.byte() % stale_.size()];
    if (stale != 0) EXPECT(arena_->rewind(stale) == FreeOutcome::kOrderViolation);
    EXPECT_EQUAL(arena_->mark(), newest_.empty() ? 0 : newest_.back());
    const size_t kept = newest_.size() - std::min<size_t>(newest_.size(), input_.byte() % 8);
    EXPECT(arena_->rewind(kept == 0 ? 0 : newest_[kept - 1]) == FreeOutcome::kFreed);
    while (newest_.size() > kept) {
      ends_.erase(live_.at(newest_.back()).offset);
      forget(newest_.back());
    }
  }

  void add_cached(uint32_t owner, double bytes) {
    cached_[owner - 1] += bytes;
    header().attachments[owner - 1].cached_bytes = cached_[owner - 1];
  }

  void reserve() {
    const uint32_t owner = 1 + input_.byte() % kOwners;
    const uint32_t size_class = input_.byte() % 8 == 0 ? input_.byte() % kSizeClasses : input_.byte() % 48;
    std::array<uint32_t, 24> out;
    out.fill(kNoSlot);
    const size_t wish = 1 + input_.byte() % out.size();
    const uint64_t before = header().taken_bytes;
    header().attachments_used = std::max(header().attachments_used, owner);
    header().attachments[owner - 1].in_use = 1;
    const uint32_t filled = arena_->reserve(owner, size_class, {out.data(), wish});
    EXPECT(filled <= wish);
    if (filled == 0) {
      EXPECT_EQUAL(header().taken_bytes, before);
      return;
    }
    const uint64_t room = (header().taken_bytes - before) / filled;
    EXPECT_EQUAL(room * filled, header().taken_bytes - before);
    for (uint32_t at = 0; at < filled; ++at) {
      const Slot& reserved = slot(out[at]);
      EXPECT(state_of(reserved.word) == SlotState::kReserved && owner_of(reserved.word) == owner);
      EXPECT_EQUAL(uint32_t{reserved.size_class}, size_class);
      EXPECT(room >= class_granules(size_class) * geometry_.granule);
      take_place(reserved.offset, room, 1);
      EXPECT(reserved_.emplace(out[at], room).second);
      EXPECT(arena_->free(handle_of(out[at])) == FreeOutcome::kUnknownBlock);
    }
    add_cached(owner, static_cast<double>(filled * room));
    high_water_ = std::max(high_water_, header().taken_bytes);
  }

  std::map<uint32_t, uint64_t>::iterator any_reserved() {
    const auto at = reserved_.lower_bound(input_.byte());
    return at == reserved_.end() ? reserved_.begin() : at;
  }

  void publish() {
    if (reserved_.empty()) return;
    const auto [number, room] = *any_reserved();
    Slot& at = slot(number);
    const uint32_t owner = owner_of(at.word);
    const uint64_t most = class_granules(at.size_class) * geometry_.granule;
    const uint64_t bytes = most - input_.number(2) % most;
    const uint64_t handle = handle_of(number);
    store_relaxed(at.length, bytes);
    store_release(at.word, slot_word(SlotState::kLive, generation_of(at.word), owner));
    header().attachments[owner - 1].allocations += 1;
    add_cached(owner, -static_cast<double>(room));
    reserved_.erase(number);
    note_live(handle, {at.offset, bytes, room});
  }

  void take_back() {
    if (live_.empty()) return;
    const uint64_t handle = any_live();
    Slot& at = slot(handle);
    const auto generation = static_cast<uint32_t>(handle >> 32);
    if (at.size_class == kNoClass || generation == kLastGeneration) return;
    const uint32_t owner = 1 + input_.byte() % kOwners;
    const uint64_t room = live_.at(handle).room;
    header().attachments_used = std::max(header().attachments_used, owner);
    store_release(at.word, slot_word(SlotState::kReserved, generation + 1, owner));
    header().attachments[owner - 1].frees += 1;
    add_cached(owner, static_cast<double>(room));
    reserved_.emplace(static_cast<uint32_t>(handle & (kMaxSlots - 1)), room);
    forget(handle);
    EXPECT(arena_->free(handle) == FreeOutcome::kUnknownBlock);
  }

  void give_back() {
    const uint32_t none[] = {kNoSlot, kMaxSlots - 1, static_cast<uint32_t>(input_.number(4)) | 1u << 31};
    arena_->give_back(1, none);
    if (reserved_.empty()) return;
    const auto [number, room] = *any_reserved();
    const uint32_t owner = owner_of(slot(number).word);
    const uint64_t taken = header().taken_bytes;
    // Not this owner's, so nothing happens; then twice, which is once.
    const uint32_t twice[] = {number, number};
    arena_->give_back(owner % kOwners + 1, twice);
    EXPECT_EQUAL(header().taken_bytes, taken);
    ends_.erase(slot(number).offset);
    arena_->give_back(owner, twice);
    EXPECT_EQUAL(header().taken_bytes, taken - room);
    add_cached(owner, -static_cast<double>(room));
    reserved_.erase(number);
  }

  void detach(uint32_t owner) {
    std::erase_if(reserved_, [&](const auto& at) {
      if (owner_of(slot(at.first).word) != owner) return false;
      ends_.erase(slot(at.first).offset);
      return true;
    });
    arena_->detach(owner);
    cached_[owner - 1] = 0;
  }

  void detach_or_recover() {
    const uint8_t dice = input_.byte();
    if (dice % 4 == 0) return recover();
    if (dice % 4 == 1) arena_->set_contended(dice % 8 == 1);
    if (dice % 4 >= 2 && !arena_->is_ordered()) detach(1 + dice / 4 % kOwners);
  }

  // The owner dies here; the next one has its ledger, byte for byte.
  void recover() {
    auto copy = std::make_unique<LedgerBytes>(ledger().bytes);
    std::memcpy(copy->memory().base, ledger().base, ledger().bytes);
    if (is("slab") && arena_->slots().retired() > 0) may_have_lost_rooms_ = true;
    for (const auto& [number, room] : reserved_) ends_.erase(slot(number).offset);
    arena_.reset();
    bytes_ = std::move(copy);
    arena_ = entry_.make(ledger(), geometry_);
    EXPECT(arena_->recover());
    EXPECT_EQUAL(arena_->left_out(), 0u);
    reserved_.clear();
    cached_.fill(0);
    check();
  }

  // One size often, so that slabs open and fill.
  void many() {
    const uint64_t bytes = 1 + input_.byte() * geometry_.granule / 16;
    for (unsigned left = input_.byte() % 64; left > 0; --left) allocate(bytes);
  }

  const StrategyEntry& entry_;
  Geometry geometry_;
  Input& input_;
  std::unique_ptr<LedgerBytes> bytes_;
  std::unique_ptr<Arena> arena_;
  std::map<uint64_t, Block> live_;           // by handle
  std::vector<uint64_t> newest_;             // handles, the newest last
  std::map<uint32_t, uint64_t> reserved_;    // rooms by slot
  std::map<uint64_t, uint64_t> ends_;        // of all rooms, by offset
  std::array<uint64_t, 32> stale_{};
  size_t stale_at_ = 0;
  std::array<double, kOwners> cached_{};
  uint64_t allocations_ = 0;
  uint64_t failures_ = 0;
  uint64_t high_water_ = 0;
  bool may_have_lost_rooms_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  constexpr std::array<uint64_t, 6> kGranules{64, 8, 64, 256, 4096, 65536};
  constexpr int kMostSteps = 1500;
  Input input(data, bytes);
  const StrategyEntry& entry = any_strategy(input);
  const uint64_t granule = kGranules[input.byte() % kGranules.size()];
  Model model(entry, {(1 + input.number(2) % 2048) * granule, granule}, input);
  for (int step = 1; step <= kMostSteps && !input.is_empty(); ++step) {
    model.step();
    if (step % 8 == 0) model.check();
  }
  model.check();
  model.free_all();
  return 0;
}
