// A block that slides by less than its own length overwrites its old place as it goes. It moves in chunks no longer
// than the distance, and the ledger says how many bytes have arrived: a chunk's source is whole until the next
// chunk begins, so a copy that was cut off anywhere is simply made again.
#pragma once

#include <algorithm>
#include <cstring>

#include "alloc/ledger.h"

namespace nautilus {

// Keeps a chunk in the nearer caches, where the next one reads what this one did not yet overwrite.
constexpr uint64_t kSlideChunkBytes = 128 * 1024;

// A kill stops a thread between two instructions, so the order of instructions is all that recovery relies on.
inline void keep_order() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

inline void begin_slide(MoveJournal& journal, uint32_t slot, uint64_t from, uint64_t to, uint64_t bytes) noexcept {
  journal.slot = slot;
  journal.from = from;
  journal.to = to;
  journal.bytes = bytes;
  journal.done = 0;
  store_release(journal.active, uint32_t{1});
  keep_order();
}

inline void end_slide(MoveJournal& journal) noexcept {
  keep_order();
  store_release(journal.active, uint32_t{0});
  keep_order();
}

// Moves at most so many bytes further; answers how many. `before_copy(done, chunk)` sees the state before each chunk.
template <typename BeforeCopy>
uint64_t slide(MoveJournal& journal, std::byte* payload, uint64_t most_bytes,
               BeforeCopy before_copy) noexcept(noexcept(before_copy(0, 0))) {
  const uint64_t longest = std::min(journal.from - journal.to, kSlideChunkBytes);
  std::byte* const to = payload + journal.to;
  const std::byte* const from = payload + journal.from;
  const uint64_t begun = journal.done;
  const uint64_t until = begun + std::min(most_bytes, journal.bytes - begun);
  for (uint64_t done = begun; done < until;) {
    const uint64_t chunk = std::min(longest, until - done);
    before_copy(done, chunk);
    std::memcpy(to + done, from + done, chunk);
    done += chunk;
    keep_order();
    store_release(journal.done, done);
    keep_order();
  }
  return until - begun;
}
inline uint64_t slide(MoveJournal& journal, std::byte* payload, uint64_t most_bytes) noexcept {
  return slide(journal, payload, most_bytes, [](uint64_t, uint64_t) noexcept {});
}

// After the death of the owner, before recovery: a block that was cut in two is whole again. May itself be killed
// and repeated. `payload` is the segment. False when the journal contradicts the ledger: nothing was touched.
bool finish_interrupted_move(const LedgerMemory& ledger, std::byte* payload) noexcept;

}  // namespace nautilus
