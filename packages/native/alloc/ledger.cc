// A block is read as word, place, word again: it counts when both words say the same live generation, so a reader
// never sees the place of one block under the name of another.
#include "alloc/ledger.h"

#include "alloc/size_class.h"

namespace nautilus {
namespace {

uint64_t clamped(uint64_t value) noexcept { return std::min(value, kMaxSafeInteger); }

// What a strategy takes for a block; for any values, below 2^54 bytes in all.
uint64_t granules_of(uint64_t length, uint8_t size_class, uint8_t alignment_log2, uint32_t granule_log2,
                     bool power_of_two) noexcept {
  const uint64_t granules = size_class == kNoClass ? ((length - 1) >> granule_log2) + 1 : class_granules(size_class);
  if (!power_of_two) return granules;
  const uint32_t alignment = std::min<uint32_t>(alignment_log2, kMaxGranuleLog2);
  return std::bit_ceil(std::max(granules, (uint64_t{1} << alignment) >> granule_log2));
}

const LedgerHeader* header_of(const std::byte* ledger, uint64_t bytes) noexcept {
  if (bytes < kLedgerHeaderBytes) return nullptr;
  const auto* header = reinterpret_cast<const LedgerHeader*>(ledger);
  if (load_acquire(header->magic) != kLedgerMagic) return nullptr;
  return load_relaxed(header->version) == kLedgerVersion ? header : nullptr;
}

}  // namespace

void initialise_ledger(const LedgerMemory& ledger, uint64_t segment_bytes, uint64_t granule, uint8_t tag) noexcept {
  LedgerHeader& header = ledger.header();
  const bool was_ours = load_acquire(header.magic) == kLedgerMagic && header.version == kLedgerVersion;
  const uint32_t capacity = slots_for(segment_bytes, granule);
  const uint32_t used = was_ours ? std::min(load_relaxed(header.slots_used), capacity) : 0;
  // A reader that comes in between sees no magic and takes the ledger for empty.
  store_release(header.magic, uint64_t{0});
  std::atomic_thread_fence(std::memory_order_release);
  for (uint32_t slot = 0; slot < used; ++slot) {
    Slot& at = ledger.slots()[slot];
    const uint32_t generation = generation_of(at.word);
    if (state_of(at.word) == SlotState::kRetired) continue;
    at.word = generation >= kLastGeneration ? slot_word(SlotState::kRetired, kLastGeneration)
                                            : slot_word(SlotState::kFree, generation + 1);
  }
  // All but the owner's record, which is not the arena's to write.
  auto* const bytes = reinterpret_cast<unsigned char*>(&header);
  std::fill(bytes, bytes + offsetof(LedgerHeader, owner), uint8_t{0});
  for (Attachment& attachment : header.attachments) attachment = Attachment{};
  header.version = kLedgerVersion;
  header.granule_log2 = static_cast<uint32_t>(std::countr_zero(granule));
  header.segment_bytes = segment_bytes;
  header.slot_capacity = capacity;
  header.tag = tag;
  header.epoch = 1;
  store_release(header.magic, kLedgerMagic);
}

ArenaFigures figures_of(const LedgerHeader& header) noexcept {
  ArenaFigures figures;
  const uint32_t attachments = std::min(load_relaxed(header.attachments_used), kMaxAttachments);
  // Frees before allocations, and the header's at both ends: whatever happens meanwhile, also a thread that detaches,
  // more blocks seem to live than do, and never fewer.
  figures.frees = load_acquire(header.frees);
  for (uint32_t at = 0; at < attachments; ++at) figures.frees += whole(load_acquire(header.attachments[at].frees));
  for (uint32_t at = 0; at < attachments; ++at) {
    figures.allocations += whole(load_acquire(header.attachments[at].allocations));
    figures.cached_bytes += whole(load_relaxed(header.attachments[at].cached_bytes));
  }
  figures.allocations += load_relaxed(header.allocations);
  figures.failures = clamped(load_relaxed(header.failures));
  figures.high_water_bytes = clamped(load_relaxed(header.high_water_bytes));
  const uint64_t taken = clamped(load_relaxed(header.taken_bytes));
  figures.allocations = clamped(figures.allocations);
  figures.frees = clamped(figures.frees);
  figures.cached_bytes = std::min(figures.cached_bytes, taken);
  figures.live_bytes = taken - figures.cached_bytes;
  // Only a ledger that lies has more frees.
  figures.live_blocks = figures.allocations - std::min(figures.allocations, figures.frees);
  return figures;
}

std::optional<LedgerFigures> read_ledger(const std::byte* ledger, uint64_t bytes) noexcept {
  const LedgerHeader* header = header_of(ledger, bytes);
  if (header == nullptr) return std::nullopt;
  return LedgerFigures{clamped(load_relaxed(header->segment_bytes)), figures_of(*header)};
}

std::optional<LedgerBlocks> read_ledger_blocks(const std::byte* ledger, uint64_t bytes) {
  const LedgerHeader* header = header_of(ledger, bytes);
  if (header == nullptr) return std::nullopt;
  LedgerBlocks read;
  read.segment_bytes = clamped(load_relaxed(header->segment_bytes));
  const uint32_t granule_log2 = std::min(load_relaxed(header->granule_log2), kMaxGranuleLog2);
  read.granule = uint64_t{1} << granule_log2;
  const bool power_of_two_rooms = load_relaxed(header->power_of_two_rooms) != 0;
  const uint64_t present = std::min<uint64_t>((bytes - kLedgerHeaderBytes) / sizeof(Slot), kMaxSlots);
  const auto used = static_cast<uint32_t>(std::min<uint64_t>(load_acquire(header->slots_used), present));
  const uint64_t tag = load_relaxed(header->tag) & 0xff;
  const auto* slots = reinterpret_cast<const Slot*>(ledger + kLedgerHeaderBytes);
  for (uint32_t at = 0; at < used; ++at) {
    const Slot& slot = slots[at];
    const uint32_t word = load_acquire(slot.word);
    if (state_of(word) != SlotState::kLive) continue;
    PublishedBlock block;
    block.offset = load_relaxed(slot.offset);
    block.length = load_relaxed(slot.length);
    block.pins = load_relaxed(slot.pins);
    const uint8_t size_class = load_relaxed(slot.size_class);
    const uint8_t alignment_log2 = load_relaxed(slot.alignment_log2);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (load_relaxed(slot.word) != word) continue;
    if (block.length - 1 >= read.segment_bytes || block.offset > read.segment_bytes - block.length) continue;
    const uint64_t granules =
        granules_of(block.length, size_class, alignment_log2, granule_log2, power_of_two_rooms);
    block.room = std::max(block.length, std::min(granules << granule_log2, read.segment_bytes - block.offset));
    block.handle = (uint64_t{generation_of(word)} << 32) | (tag << kSlotBits) | at;
    read.blocks.push_back(block);
  }
  return read;
}

std::optional<std::vector<PublishedBlock>> read_blocks(const std::byte* ledger, uint64_t bytes) {
  std::optional<LedgerBlocks> read = read_ledger_blocks(ledger, bytes);
  if (!read) return std::nullopt;
  return std::move(read->blocks);
}

}  // namespace nautilus
