// A ledger seen by its owner, and by whoever may only read it. The reader needs no consent: it works while the
// owner allocates and after the owner was killed, and takes nothing that it finds there for sane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "alloc/ledger_layout.h"

namespace nautilus {

struct ArenaFigures {
  uint64_t live_blocks = 0;
  uint64_t live_bytes = 0;  // rooms, rounding included
  uint64_t cached_bytes = 0;
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t failures = 0;
  uint64_t high_water_bytes = 0;
};

struct LedgerFigures {
  uint64_t segment_bytes = 0;
  ArenaFigures arena;
};

struct PublishedBlock {
  uint64_t handle = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t room = 0;  // bytes it takes, rounding included, as far as the ledger tells; at least the length
  uint32_t pins = 0;
};

// The memory of a ledger that may be written: page-aligned, `bytes` long.
struct LedgerMemory {
  std::byte* base = nullptr;
  uint64_t bytes = 0;

  LedgerHeader& header() const noexcept { return *reinterpret_cast<LedgerHeader*>(base); }
  Slot* slots() const noexcept { return reinterpret_cast<Slot*>(base + kLedgerHeaderBytes); }
};

// Begins an empty arena. Generations of slots that were used before go on, so old handles stay stale. The memory
// must hold ledger_bytes_for(...). Magic is written last; a kill before leaves a foreign ledger without blocks, to be
// initialised again.
void initialise_ledger(const LedgerMemory& ledger, uint64_t segment_bytes, uint64_t granule, uint8_t tag) noexcept;

// Nothing when magic or version is foreign. Needs the header page only. Figures are clamped to 2^53 - 1; they may
// still be nonsense, when the owner is.
std::optional<LedgerFigures> read_ledger(const std::byte* ledger, uint64_t bytes) noexcept;

// Every block that was published when its slot was read, in the order of slots; nothing when the ledger is foreign.
// Each block is true by itself; between two slots the owner may have freed one and given its room to the other.
// A block whose place is outside its segment is left out. At most bytes / 32 steps. May throw std::bad_alloc.
std::optional<std::vector<PublishedBlock>> read_blocks(const std::byte* ledger, uint64_t bytes);

struct LedgerBlocks {
  uint64_t segment_bytes = 0;
  uint64_t granule = 1;
  std::vector<PublishedBlock> blocks;
};
// The same with the sizes they were checked against.
std::optional<LedgerBlocks> read_ledger_blocks(const std::byte* ledger, uint64_t bytes);

// From the header alone, by its owner.
ArenaFigures figures_of(const LedgerHeader& header) noexcept;

}  // namespace nautilus
