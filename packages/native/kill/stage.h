// Shared memory of one killed process and its judge, and the ledgers in it.
#pragma once

#include <cstdio>
#include <cstring>
#include <new>

#include <sys/mman.h>

#include "kill/journal.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

namespace nautilus::kill {

constexpr uint64_t kGranule = 64;

class Stage {
 public:
  explicit Stage(uint64_t segment_bytes)
      : segment_bytes_(segment_bytes), ledger_bytes_(ledger_bytes_for(segment_bytes, kGranule)) {
    ledger_ = {map(ledger_bytes_), ledger_bytes_};
    copy_ = {map(ledger_bytes_), ledger_bytes_};
    journal_ = reinterpret_cast<Journal*>(map(sizeof(Journal)));
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    ::munmap(ledger_.base, ledger_bytes_);
    ::munmap(copy_.base, ledger_bytes_);
    ::munmap(journal_, sizeof(Journal));
  }

  const LedgerMemory& ledger() const noexcept { return ledger_; }
  Journal& journal() const noexcept { return *journal_; }
  Geometry geometry() const noexcept { return {segment_bytes_, kGranule}; }

  // Some slots are near the end of their generations, so that they retire under way.
  void begin_empty() noexcept {
    std::memset(ledger_.base, 0, ledger_bytes_);
    for (uint32_t slot = 0; slot < slots_for(segment_bytes_, kGranule); slot += 5) {
      ledger_.slots()[slot].word = slot_word(SlotState::kFree, kLastGeneration - slot % 4);
    }
    initialise_ledger(ledger_, segment_bytes_, kGranule, 7);
  }
  // The judge changes what it judges, so it gets a copy.
  const LedgerMemory& copy() const noexcept {
    std::memcpy(copy_.base, ledger_.base, ledger_bytes_);
    return copy_;
  }

 private:
  static std::byte* map(uint64_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(memory);
  }

  uint64_t segment_bytes_;
  uint64_t ledger_bytes_;
  LedgerMemory ledger_;
  LedgerMemory copy_;
  Journal* journal_;
};

}  // namespace nautilus::kill
