// The rarer half of the table of names: slots that were never used, and the whole of it after an owner's death.
#include "alloc/slot_table.h"

#include "alloc/size_class.h"

namespace nautilus {

// Generations start at 1, so that no handle is 0, and go on where an earlier arena in this ledger ended. The word is
// written before the slot counts as used: what a killed owner left behind in it must not come alive.
uint32_t SlotTable::take_fresh() noexcept {
  while (used_ < capacity_) {
    const uint32_t slot = used_++;
    Slot& at = slots_[slot];
    const SlotState state = state_of(at.word);
    const uint32_t generation = generation_of(at.word);
    at.pins = 0;
    if (state != SlotState::kRetired) {
      // Only an initialisation that was killed leaves a block here.
      at.word = state == SlotState::kLive ? ended(generation)
                                          : slot_word(SlotState::kFree, std::max<uint32_t>(1, generation));
    }
    store_release(header_->slots_used, used_);
    if (state_of(at.word) != SlotState::kRetired) return slot;
    ++retired_;
  }
  return kNoSlot;
}

std::vector<PlacedSlot> SlotTable::rebuild(uint64_t capacity_bytes, uint64_t granule, uint64_t& dropped) {
  std::vector<PlacedSlot> live;
  live.reserve(used_);
  retired_ = 0;
  const auto granule_log2 = static_cast<unsigned>(std::countr_zero(granule));
  free_count_ = 0;
  for (uint32_t slot = 0; slot < used_; ++slot) {
    Slot& at = slots_[slot];
    const uint32_t generation = generation_of(at.word);
    switch (state_of(at.word)) {
      case SlotState::kLive:
        if (generation != 0 && at.length - 1 < capacity_bytes && at.offset < capacity_bytes &&
            at.offset % granule == 0 &&
            (at.size_class == kNoClass || at.length <= class_granules(at.size_class) << granule_log2)) {
          // Attachments are gone, and with them who put it there.
          at.word = slot_word(SlotState::kLive, generation);
          at.pins = 0;
          // A move keeps the alignment, so it must be one that the block has.
          if (at.alignment_log2 < granule_log2 || at.alignment_log2 > kMaxGranuleLog2 ||
              at.offset % (uint64_t{1} << at.alignment_log2) != 0) {
            at.alignment_log2 = static_cast<uint8_t>(granule_log2);
          }
          live.push_back({static_cast<uint32_t>(at.offset >> granule_log2), slot});
          continue;
        }
        ++dropped;
        at.word = ended(generation);
        break;
      case SlotState::kFree:
      case SlotState::kReserved:
        at.word = slot_word(SlotState::kFree, std::max<uint32_t>(1, generation));
        break;
      case SlotState::kRetired:
        break;
    }
    at.pins = 0;
    if (state_of(at.word) == SlotState::kRetired) {
      ++retired_;
      continue;
    }
    free_[free_count_++] = slot;
  }
  std::reverse(&free_[0], &free_[free_count_]);
  return live;
}

}  // namespace nautilus
