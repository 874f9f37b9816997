// The journal is read from shared memory that a dead process wrote, so it is believed only where it fits.
#include "alloc/move_journal.h"

namespace nautilus {
namespace {

bool is_plausible(const LedgerHeader& header, const Slot* slots) noexcept {
  const MoveJournal& journal = header.move;
  if (journal.slot >= header.slots_used || header.slots_used > header.slot_capacity) return false;
  if (journal.from <= journal.to || journal.from > header.segment_bytes) return false;
  if (journal.bytes > header.segment_bytes - journal.from || journal.done > journal.bytes) return false;
  const Slot& slot = slots[journal.slot];
  if (slot.length > journal.bytes) return false;
  return slot.offset == journal.from || (slot.offset == journal.to && journal.done == journal.bytes);
}

}  // namespace

bool finish_interrupted_move(const LedgerMemory& ledger, std::byte* payload) noexcept {
  LedgerHeader& header = ledger.header();
  MoveJournal& journal = header.move;
  if (load_acquire(journal.active) == 0) return true;
  Slot* const slots = ledger.slots();
  // A block that was freed on its way has no bytes that anybody wants.
  const bool is_live = journal.slot < header.slots_used && journal.slot < header.slot_capacity &&
                       state_of(slots[journal.slot].word) == SlotState::kLive;
  if (is_live) {
    if (!is_plausible(header, slots)) return false;
    slide(journal, payload, journal.bytes);
    store_release(slots[journal.slot].offset, journal.to);
  } else if (journal.slot >= header.slot_capacity) {
    return false;
  }
  end_slide(journal);
  return true;
}

}  // namespace nautilus
