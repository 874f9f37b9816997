// The judge: what must have been published follows from the journal alone, never from the ledger that is judged.
#include <algorithm>
#include <chrono>
#include <random>

#include "kill/journal.h"

namespace nautilus::kill {
namespace {

std::string text_of(const char* what, uint64_t handle, const Place& place) {
  return std::string(what) + ": handle " + std::to_string(handle) + ", offset " + std::to_string(place.offset) +
         ", length " + std::to_string(place.length);
}

void count(uint64_t& counter, Verdict& verdict, std::string what) {
  ++counter;
  if (verdict.what.empty()) verdict.what = std::move(what);
}

void end(Model& model, std::map<uint64_t, Place>::iterator at) {
  if (at == model.live.end()) return;  // never was there, which is counted where it is missed
  model.stale.push_back(at->first);
  model.live.erase(at);
}

void rewind(Model& model, uint64_t mark) {
  const uint64_t above = mark == 0 ? 0 : model.live.at(mark).offset + 1;
  for (auto at = model.live.begin(); at != model.live.end();) {
    const auto here = at++;
    if (here->second.offset >= above) end(model, here);
  }
}

void apply(Model& model, const Operation& operation) {
  const Place place{operation.offset, operation.length};
  switch (operation.kind) {
    case Kind::kAllocate:
      if (operation.handle != 0) model.live.emplace(operation.handle, place);
      break;
    case Kind::kPublish:
      model.live.emplace(operation.handle, place);
      break;
    case Kind::kEnd:
      end(model, model.live.find(operation.handle));
      break;
    case Kind::kRewind:
      rewind(model, operation.handle);
      break;
    case Kind::kSilent:
      break;
  }
}

// Whether the open operation explains that a block appeared.
bool may_appear(const Operation* open, uint64_t handle, const Place& place) {
  if (open == nullptr) return false;
  if (open->kind == Kind::kAllocate) return place.length == open->length;
  return open->kind == Kind::kPublish && handle == open->handle && place == Place{open->offset, open->length};
}

// The lowest offset from which the open operation explains that a block is gone; one handle for kEnd.
bool may_vanish(const Operation* open, const Model& model, uint64_t handle, const Place& place) {
  if (open == nullptr) return false;
  if (open->kind == Kind::kEnd) return handle == open->handle;
  if (open->kind != Kind::kRewind) return false;
  return open->handle == 0 || place.offset > model.live.at(open->handle).offset;
}

// Ends with `model` as the ledger has it.
void compare(Model& model, const std::vector<PublishedBlock>& blocks, const Operation* open, Verdict& verdict) {
  std::map<uint64_t, Place> found;
  for (const PublishedBlock& block : blocks) found.emplace(block.handle, Place{block.offset, block.length});
  int appeared = 0;
  for (const auto& [handle, place] : found) {
    const auto expected = model.live.find(handle);
    if (expected != model.live.end()) {
      if (!(expected->second == place)) count(verdict.corrupt, verdict, text_of("at another place", handle, place));
    } else if (!may_appear(open, handle, place) || ++appeared > 1) {
      count(verdict.corrupt, verdict, text_of("never published", handle, place));
    }
  }
  uint64_t lowest_gone = UINT64_MAX;
  for (const auto& [handle, place] : model.live) {
    if (found.contains(handle)) continue;
    lowest_gone = std::min(lowest_gone, place.offset);
    if (!may_vanish(open, model, handle, place)) count(verdict.lost, verdict, text_of("lost", handle, place));
    model.stale.push_back(handle);
  }
  // A rewind ends the newest first, so nothing above one that is gone may still be there.
  if (open != nullptr && open->kind == Kind::kRewind) {
    for (const auto& [handle, place] : found) {
      if (place.offset > lowest_gone) count(verdict.corrupt, verdict, text_of("out of order", handle, place));
    }
  }
  model.live = std::move(found);
}

void expect_no_overlap(const std::map<uint64_t, Place>& live, uint64_t capacity, Verdict& verdict) {
  std::map<uint64_t, uint64_t> by_offset;
  for (const auto& [handle, place] : live) {
    if (!by_offset.emplace(place.offset, place.length).second) count(verdict.corrupt, verdict, "two at one offset");
  }
  uint64_t reached = 0;
  for (const auto& [offset, length] : by_offset) {
    if (offset < reached) count(verdict.corrupt, verdict, "overlap at offset " + std::to_string(offset));
    reached = offset + length;
  }
  if (reached > capacity) count(verdict.corrupt, verdict, "a block outside");
}

// In STACK what an alignment skipped counts neither as taken nor as free, until the blocks above it are gone.
void expect_balance(Arena& arena, const LedgerHeader& header, uint64_t capacity, uint64_t live, Verdict& verdict) {
  const uint64_t sum = arena.free_bytes() + header.taken_bytes;
  if (arena.is_ordered() ? sum > capacity : sum != capacity) {
    count(verdict.leaked, verdict, "free and taken make " + std::to_string(sum) + " of " + std::to_string(capacity));
  }
  const ArenaFigures figures = arena.figures();
  if (figures.live_blocks != live || figures.allocations - figures.frees != live || figures.cached_bytes != 0) {
    count(verdict.corrupt, verdict, "figures say " + std::to_string(figures.live_blocks) + " live blocks, there are " +
                                        std::to_string(live));
  }
}

void work_on(Arena& arena, const LedgerMemory& ledger, std::map<uint64_t, Place>& live, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int round = 0; round < 100; ++round) {
    const uint64_t bytes = 1 + random() % 3000;
    const uint64_t handle = arena.allocate(bytes, 1);
    if (handle != 0) live.emplace(handle, Place{ledger.slots()[handle & (kMaxSlots - 1)].offset, bytes});
  }
}

void free_all(Arena& arena, const std::map<uint64_t, Place>& live, uint64_t seed, Verdict& verdict) {
  std::vector<std::pair<uint64_t, uint64_t>> order;
  for (const auto& [handle, place] : live) order.emplace_back(place.offset, handle);
  std::sort(order.rbegin(), order.rend());
  if (!arena.is_ordered()) std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  for (const auto& [offset, handle] : order) {
    if (arena.free(handle) != FreeOutcome::kFreed) {
      count(verdict.corrupt, verdict, "cannot be freed: handle " + std::to_string(handle));
    }
    if (arena.free(handle) != FreeOutcome::kUnknownBlock) count(verdict.corrupt, verdict, "freed twice");
  }
}

}  // namespace

Verdict check(const StrategyEntry& strategy, const LedgerMemory& ledger, const Journal& journal, Model& model,
              uint64_t seed) {
  Verdict verdict;
  if (journal.failed != 0) count(verdict.corrupt, verdict, "work.cc:" + std::to_string(journal.failed));
  const Operation* open = nullptr;
  for (uint32_t at = 0; at < journal.count; ++at) {
    const Operation& operation = journal.operations[at];
    if (operation.is_done != 0) {
      apply(model, operation);
    } else {
      open = &operation;
    }
  }
  const std::optional<Geometry> geometry = geometry_of(ledger);
  if (!geometry) {
    count(verdict.corrupt, verdict, "the header describes no arena");
    return verdict;
  }
  compare(model, *read_blocks(ledger.base, ledger.bytes), open, verdict);
  std::map<uint64_t, Place> live = model.live;

  const auto before = std::chrono::steady_clock::now();
  const std::unique_ptr<Arena> arena = strategy.make(ledger, *geometry);
  const bool recovered = arena->recover();
  verdict.recover_nanoseconds = static_cast<uint64_t>((std::chrono::steady_clock::now() - before).count());
  if (!recovered || arena->left_out() != 0) {
    count(verdict.corrupt, verdict, recovered ? "blocks were left out" : "recovery refuses");
    return verdict;
  }
  Model again{live, {}};
  compare(again, *read_blocks(ledger.base, ledger.bytes), nullptr, verdict);
  expect_balance(*arena, ledger.header(), geometry->capacity, live.size(), verdict);
  for (const uint64_t handle : model.stale) {
    if (arena->free(handle) != FreeOutcome::kUnknownBlock) count(verdict.corrupt, verdict, "a stale handle works");
  }
  work_on(*arena, ledger, live, seed);
  expect_no_overlap(live, geometry->capacity, verdict);
  expect_balance(*arena, ledger.header(), geometry->capacity, live.size(), verdict);
  free_all(*arena, live, seed, verdict);
  expect_balance(*arena, ledger.header(), geometry->capacity, 0, verdict);
  if (arena->free_bytes() != geometry->capacity || arena->largest_free_bytes() != geometry->capacity) {
    count(verdict.leaked, verdict, "after all was freed " + std::to_string(arena->free_bytes()) + " bytes are free, " +
                                       std::to_string(arena->largest_free_bytes()) + " in one range");
  } else if (arena->allocate(geometry->capacity, 1) == 0) {
    count(verdict.leaked, verdict, "the whole segment is free and cannot be taken");
  }
  return verdict;
}

}  // namespace nautilus::kill
