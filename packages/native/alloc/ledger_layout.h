// The bytes of a ledger: a header page, then one slot of 32 bytes for every block a segment can hold. It is the
// truth about which blocks exist; whatever finds room faster is rebuilt from it. Offsets only, never pointers,
// little-endian. ts/ledger-layout.ts repeats what JavaScript touches by itself; a test compares the two.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nautilus {

static_assert(std::endian::native == std::endian::little, "a ledger is little-endian on every host");
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free, "a lock in shared memory could stay locked");

constexpr uint64_t kLedgerMagic = 0x31474c5355544e41;  // "ANTUSLG1" in memory order
constexpr uint32_t kLedgerVersion = 2;
constexpr uint64_t kMaxSafeInteger = (uint64_t{1} << 53) - 1;
constexpr uint32_t kMaxGranuleLog2 = 16;

// Handle: generation (21 bits) | arena tag (8) | slot (24), the 53 bits that a JavaScript number holds exactly.
constexpr unsigned kSlotBits = 24;
constexpr unsigned kTagBits = 8;
constexpr unsigned kGenerationBits = 21;
static_assert(kSlotBits + kTagBits + kGenerationBits == 53);
constexpr uint32_t kMaxSlots = uint32_t{1} << kSlotBits;
constexpr uint32_t kLastGeneration = (uint32_t{1} << kGenerationBits) - 1;
constexpr uint32_t kNoSlot = UINT32_MAX;

// The word of a slot: generation (bits 0-20), state (21-22), who put it there (24-31; 0 is the arena itself, else
// an attachment's number + 1). Storing this one word is what makes a block exist, or ends it.
enum class SlotState : uint32_t { kFree = 0, kReserved = 1, kLive = 2, kRetired = 3 };

constexpr uint32_t slot_word(SlotState state, uint32_t generation, uint32_t owner = 0) noexcept {
  return generation | (static_cast<uint32_t>(state) << kGenerationBits) | (owner << 24);
}
constexpr uint32_t generation_of(uint32_t word) noexcept { return word & kLastGeneration; }
constexpr SlotState state_of(uint32_t word) noexcept {
  return static_cast<SlotState>((word >> kGenerationBits) & 3);
}
constexpr uint32_t owner_of(uint32_t word) noexcept { return word >> 24; }

constexpr uint8_t kNoClass = 255;
constexpr uint64_t kMostEpochs = uint64_t{1} << 38;  // a link in limbo has 39 bits for one
constexpr uint16_t kMoving = UINT16_MAX;  // in `pins`: the block is on its way, wait for the arena's lock

struct Slot {
  uint32_t word;
  uint16_t pins;           // views and device work that hold the block in place
  uint8_t size_class;      // of its room, or kNoClass when the room is the length rounded up
  uint8_t alignment_log2;  // what was asked for; a move keeps it
  uint32_t prior;          // the strategy's own
  uint32_t next;
  uint64_t offset;
  uint64_t length;  // bytes asked for
};
static_assert(sizeof(Slot) == 32);

// One thread's magazines. Counters are doubles because JavaScript writes them: exact up to 2^53.
struct alignas(64) Attachment {
  uint32_t in_use;
  uint32_t reserved;
  double allocations;
  double frees;
  double cached_bytes;  // rooms that wait in magazines: taken from the arena, not live
  uint64_t epoch;       // 0: reads nothing now; else the arena's epoch when it began to
};
static_assert(sizeof(Attachment) == 64);
constexpr uint32_t kMaxAttachments = 60;

// A block on its way inside its own old place: recovery finishes it.
struct MoveJournal {
  uint32_t slot;
  uint32_t active;
  uint64_t from;
  uint64_t to;
  uint64_t bytes;
  uint64_t done;  // bytes that have arrived
};

// Who may write the ledger. A process number alone says nothing: it is used again, and differs by namespace.
struct OwnerRecord {
  uint64_t process;    // 0: closed in good order
  uint64_t started;    // start time of the process, in the kernel's ticks
  uint64_t name_space; // identity of its namespace of process numbers
  uint64_t boot;       // hash of the boot's identity
  uint64_t nonce;      // tells two copies of this code in one process apart
};

struct alignas(64) LedgerHeader {
  uint64_t magic;
  uint32_t version;
  uint32_t granule_log2;
  uint64_t segment_bytes;
  uint32_t slot_capacity;
  uint32_t slots_used;  // slots that were ever in use: readers look no further
  uint32_t tag;
  uint32_t attachments_used;
  uint32_t flush_epoch;  // raised when nothing fitted: magazines then give back what they hold
  uint32_t movable;
  uint64_t epoch;
  uint32_t contended;  // several threads have this arena: ending a block needs an atomic exchange
  uint32_t power_of_two_rooms;  // the strategy rounds rooms up to powers of two granules

  alignas(64) uint64_t allocations;
  uint64_t frees;
  uint64_t failures;
  uint64_t taken_bytes;  // rooms of live blocks and of those in magazines
  uint64_t high_water_bytes;
  uint64_t moved_blocks;
  uint64_t moved_bytes;

  alignas(64) MoveJournal move;
  alignas(64) OwnerRecord owner;
  uint64_t arena;  // a random number: tells whether two mappings show the same ledger
  Attachment attachments[kMaxAttachments];
};
constexpr size_t kLedgerHeaderBytes = 4096;
static_assert(sizeof(LedgerHeader) == kLedgerHeaderBytes);
static_assert(offsetof(LedgerHeader, attachments) == 256);

constexpr uint32_t slots_for(uint64_t segment_bytes, uint64_t granule) noexcept {
  return static_cast<uint32_t>(std::min<uint64_t>(segment_bytes / granule, kMaxSlots));
}
// Bytes of address space; memory is used for slots that were ever in use only.
constexpr uint64_t ledger_bytes_for(uint64_t segment_bytes, uint64_t granule) noexcept {
  const uint64_t bytes = kLedgerHeaderBytes + uint64_t{slots_for(segment_bytes, granule)} * sizeof(Slot);
  return (bytes + 4095) & ~uint64_t{4095};
}

// A counter of an attachment: NaN and what is out of range become 0 and the largest safe integer.
inline uint64_t whole(double value) noexcept {
  if (!(value > 0)) return 0;
  return value >= static_cast<double>(kMaxSafeInteger) ? kMaxSafeInteger : static_cast<uint64_t>(value);
}

// The one writer's counters: a plain load and store, but never torn for a reader in another process.
inline void add(uint64_t& counter, uint64_t amount) noexcept {
  std::atomic_ref<uint64_t> atomic(counter);
  atomic.store(atomic.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
inline void add_32(uint32_t& counter) noexcept {
  std::atomic_ref<uint32_t>(counter).fetch_add(1, std::memory_order_relaxed);
}
template <typename Word>
Word load_relaxed(const Word& word) noexcept {
  return std::atomic_ref<Word>(const_cast<Word&>(word)).load(std::memory_order_relaxed);
}
template <typename Word>
void store_relaxed(Word& word, Word value) noexcept {
  std::atomic_ref<Word>(word).store(value, std::memory_order_relaxed);
}
template <typename Word>
Word load_acquire(const Word& word) noexcept {
  return std::atomic_ref<Word>(const_cast<Word&>(word)).load(std::memory_order_acquire);
}
template <typename Word>
void store_release(Word& word, Word value) noexcept {
  std::atomic_ref<Word>(word).store(value, std::memory_order_release);
}

}  // namespace nautilus
