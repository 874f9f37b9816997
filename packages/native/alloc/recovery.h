// What a new owner needs to know of a dead one's ledger before a strategy can adopt its blocks: whether the header can
// be believed, and the published slots in the order of their places. The dead owner may have been hostile.
//
// What contradicts itself is decided in one way. A header that does not describe the arena (other sizes, more slots
// than there are) makes the recovery false: nothing was changed, nothing is to be used. A single block that cannot
// be (no length, generation 0, outside, between granules, over a block before it, no place this strategy gives) is
// ended, its handle stale, and counted as left out; of two that overlap the one at the lower offset stays, of two at
// the same offset the one in the lower slot.
#pragma once

#include <optional>
#include <vector>

#include "alloc/strategy.h"

namespace nautilus {

// The arena that the ledger was initialised for; nothing when magic, version or sizes cannot be, or more slots are said
// to be in use than these bytes hold.
std::optional<Geometry> geometry_of(const LedgerMemory& ledger) noexcept;

// True when the header describes an arena of this geometry, whose rooms follow the same rule.
bool describes(const LedgerHeader& header, Geometry geometry, bool power_of_two_rooms) noexcept;

// By rising place, equal ones as they stood; linear in their number. May throw std::bad_alloc.
void sort_by_place(std::vector<PlacedSlot>& slots);

// The header of an arena that has lost its attachments, holds these blocks and nothing else. Counts go on where they
// stood, as far as they are sane.
void write_recovered_figures(LedgerHeader& header, Geometry geometry, uint64_t live_blocks,
                             uint64_t taken_bytes) noexcept;

}  // namespace nautilus
