// A movable pool in plain memory, its copies as after a kill, and blocks that are filled with what names them.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "alloc/best_fit.h"
#include "alloc/first_fit.h"
#include "alloc/movable.h"
#include "alloc/move_journal.h"
#include "test/harness.h"

namespace nautilus::test {

constexpr uint64_t kGranule = 64;
constexpr uint8_t kTag = 5;

struct alignas(4096) Page {
  std::byte bytes[4096];
};

inline std::vector<Page> pages_for(uint64_t bytes) {
  return std::vector<Page>((bytes + sizeof(Page) - 1) / sizeof(Page));
}

// A segment and its ledger in plain memory, which a copy of this struct takes over as after a kill.
struct Memory {
  explicit Memory(uint64_t capacity_bytes)
      : capacity(capacity_bytes), ledger_pages(pages_for(ledger_bytes_for(capacity, kGranule))),
        payload_pages(pages_for(capacity)) {
    initialise_ledger(ledger(), capacity, kGranule, kTag);
  }
  LedgerMemory ledger() { return {ledger_pages[0].bytes, ledger_pages.size() * sizeof(Page)}; }
  std::byte* payload() { return payload_pages[0].bytes; }
  LedgerHeader& header() { return ledger().header(); }

  uint64_t capacity;
  std::vector<Page> ledger_pages;
  std::vector<Page> payload_pages;
};

inline std::unique_ptr<Arena> make_arena(const std::string& strategy, const LedgerMemory& ledger, Geometry geometry) {
  if (strategy == "first_fit") return std::make_unique<ArenaOf<FirstFit>>(ledger, geometry);
  return std::make_unique<ArenaOf<BestFit>>(ledger, geometry);
}

struct Pool {
  Pool(const char* strategy, uint64_t capacity) : Pool(strategy, Memory(capacity), false) {}
  // Of a killed owner.
  Pool(const char* strategy, Memory left, bool recover) : memory(std::move(left)) {
    if (recover) EXPECT(finish_interrupted_move(memory.ledger(), memory.payload()));
    arena = make_arena(strategy, memory.ledger(), {memory.capacity, kGranule});
    if (recover) EXPECT(arena->recover());
    movable = make_movable(*arena, memory.ledger(), memory.payload());
    EXPECT(movable != nullptr);
  }
  // As another thread would: a reader needs an attachment.
  void attach(uint32_t count) { memory.header().attachments_used = count; }

  Memory memory;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<MovableArena> movable;
};

inline uint64_t pattern(uint64_t handle, uint64_t word) {
  uint64_t mixed = (handle + 1) * 0x9e3779b97f4a7c15 ^ (word * 0xbf58476d1ce4e5b9);
  return mixed ^ (mixed >> 29);
}
// Blocks of these tests are whole words long.
inline void fill(std::byte* at, uint64_t handle, uint64_t bytes) {
  for (uint64_t word = 0; word < bytes / 8; ++word) {
    const uint64_t value = pattern(handle, word);
    std::memcpy(at + word * 8, &value, 8);
  }
}
inline bool holds(const std::byte* at, uint64_t handle, uint64_t bytes) {
  for (uint64_t word = 0; word < bytes / 8; ++word) {
    const uint64_t value = pattern(handle, word);
    if (std::memcmp(at + word * 8, &value, 8) != 0) return false;
  }
  return true;
}

}  // namespace nautilus::test
