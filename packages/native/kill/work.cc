// The process that gets killed. What a thread's magazines in JavaScript do by themselves is done here in the same order
// of stores: length, then word; and the counters behind.
#include <algorithm>
#include <random>

#include "alloc/size_class.h"
#include "kill/journal.h"

namespace nautilus::kill {
namespace {

class Worker {
 public:
  Worker(Arena& arena, const LedgerMemory& ledger, Journal& journal, uint64_t seed)
      : arena_(arena), ledger_(ledger), journal_(journal), random_(seed) {
    std::vector<PublishedBlock> blocks = *read_blocks(ledger.base, ledger.bytes);
    std::sort(blocks.begin(), blocks.end(), [](const auto& left, const auto& right) { return left.offset < right.offset; });
    for (const PublishedBlock& block : blocks) live_.push_back(block.handle);
  }

  void step() {
    const uint32_t dice = below(100);
    if (dice < 42) {
      allocate();
    } else if (dice < 68) {
      free();
    } else if (arena_.is_ordered()) {
      if (dice < 72) rewind();
    } else if (dice < 74) {
      reserve();
    } else if (dice < 86) {
      publish();
    } else if (dice < 96) {
      end();
    } else if (dice < 99) {
      give_back();
    } else {
      detach();
    }
  }

 private:
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  void expect(bool condition, uint32_t line) {
    if (!condition && journal_.failed == 0) journal_.failed = line;
  }
  Slot& slot_of(uint64_t handle) { return ledger_.slots()[handle & (kMaxSlots - 1)]; }
  Attachment& attachment(uint32_t owner) { return ledger_.header().attachments[owner - 1]; }

  void allocate() {
    const uint64_t capacity = arena_.free_bytes() + 1;
    const uint64_t bytes = 1 + (below(8) == 0 ? random_() % (capacity / 8 + 1) : below(below(2) == 0 ? 256 : 4096));
    const uint64_t alignment = below(8) == 0 ? uint64_t{64} << below(7) : 1;
    Operation& operation = journal_.begin(Kind::kAllocate, 0, 0, bytes);
    const bool at_place = arena_.can_place_at() && below(16) == 0;
    const uint64_t handle = at_place ? arena_.allocate_at(random_() % capacity / 64 * 64, bytes)
                                     : arena_.allocate(bytes, alignment);
    operation.handle = handle;
    if (handle != 0) operation.offset = slot_of(handle).offset;
    Journal::finish(operation);
    if (handle != 0) live_.push_back(handle);
  }

  // The newest block at the end when order matters, any otherwise.
  uint64_t take_live() {
    if (!arena_.is_ordered()) std::swap(live_[below(static_cast<uint32_t>(live_.size()))], live_.back());
    const uint64_t handle = live_.back();
    live_.pop_back();
    return handle;
  }

  void free() {
    if (live_.empty()) return;
    const uint64_t handle = take_live();
    Operation& operation = journal_.begin(Kind::kEnd, handle, 0, 0);
    expect(arena_.free(handle) == FreeOutcome::kFreed, __LINE__);
    Journal::finish(operation);
  }

  void rewind() {
    const size_t keep = live_.size() - std::min<size_t>(live_.size(), below(6));
    const uint64_t mark = keep == 0 ? 0 : live_[keep - 1];
    Operation& operation = journal_.begin(Kind::kRewind, mark, 0, 0);
    expect(arena_.rewind(mark) == FreeOutcome::kFreed, __LINE__);
    Journal::finish(operation);
    live_.resize(keep);
  }

  void reserve() {
    const uint32_t owner = 1 + below(3);
    uint32_t slots[8];
    Attachment& counters = attachment(owner);
    counters.in_use = 1;
    ledger_.header().attachments_used = std::max(ledger_.header().attachments_used, owner);
    Operation& operation = journal_.begin(Kind::kSilent, 0, 0, 0);
    const uint32_t filled = arena_.reserve(owner, below(40), {slots, 1 + below(8)});
    Journal::finish(operation);
    for (uint32_t at = 0; at < filled; ++at) reserved_.push_back(slots[at]);
  }

  void publish() {
    if (reserved_.empty()) return;
    const uint32_t number = take_reserved();
    Slot& slot = ledger_.slots()[number];
    const uint32_t word = slot.word;
    const uint64_t handle =
        uint64_t{generation_of(word)} << 32 | uint64_t{ledger_.header().tag} << kSlotBits | number;
    const uint64_t room = class_granules(slot.size_class) * arena_.granule();
    const uint64_t bytes = room - below(static_cast<uint32_t>(arena_.granule()));
    Operation& operation = journal_.begin(Kind::kPublish, handle, slot.offset, bytes);
    store_relaxed(slot.length, bytes);
    store_release(slot.word, slot_word(SlotState::kLive, generation_of(word), owner_of(word)));
    attachment(owner_of(word)).allocations += 1;
    Journal::finish(operation);
    live_.push_back(handle);
  }

  void end() {
    if (live_.empty()) return;
    const uint64_t handle = take_live();
    Slot& slot = slot_of(handle);
    const uint32_t generation = generation_of(slot.word);
    if (slot.size_class == kNoClass || generation == kLastGeneration) {
      live_.push_back(handle);
      return;
    }
    const uint32_t owner = 1 + below(3);
    Operation& operation = journal_.begin(Kind::kEnd, handle, 0, 0);
    store_release(slot.word, slot_word(SlotState::kReserved, generation + 1, owner));
    attachment(owner).frees += 1;
    Journal::finish(operation);
    reserved_.push_back(static_cast<uint32_t>(handle & (kMaxSlots - 1)));
  }

  uint32_t take_reserved() {
    std::swap(reserved_[below(static_cast<uint32_t>(reserved_.size()))], reserved_.back());
    const uint32_t slot = reserved_.back();
    reserved_.pop_back();
    return slot;
  }

  void give_back() {
    if (reserved_.empty()) return;
    const uint32_t slot = take_reserved();
    Operation& operation = journal_.begin(Kind::kSilent, 0, 0, 0);
    arena_.give_back(owner_of(ledger_.slots()[slot].word), {&slot, 1});
    Journal::finish(operation);
  }

  void detach() {
    const uint32_t owner = 1 + below(3);
    Operation& operation = journal_.begin(Kind::kSilent, 0, 0, 0);
    std::erase_if(reserved_, [&](uint32_t slot) { return owner_of(ledger_.slots()[slot].word) == owner; });
    arena_.detach(owner);
    Journal::finish(operation);
  }

  Arena& arena_;
  LedgerMemory ledger_;
  Journal& journal_;
  std::mt19937_64 random_;
  std::vector<uint64_t> live_;
  std::vector<uint32_t> reserved_;
};

}  // namespace

void work(Arena& arena, const LedgerMemory& ledger, Journal& journal, uint64_t seed, uint32_t most_operations) {
  Worker worker(arena, ledger, journal, seed);
  const uint32_t until = std::min(Journal::kMost, journal.count + most_operations);
  while (journal.count < until && journal.failed == 0) worker.step();
}

}  // namespace nautilus::kill
