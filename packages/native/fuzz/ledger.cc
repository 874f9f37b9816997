// Any bytes as a ledger: whoever reads it or takes it over after its owner's death may refuse it or leave blocks out,
// but never crashes, and what it gives out afterwards is sound.
#include <map>
#include <memory>
#include <vector>

#include "alloc/map_json.h"
#include "alloc/move_journal.h"
#include "fuzz/input.h"

using namespace nautilus;
using namespace nautilus::fuzz;

namespace {

constexpr size_t kMostMapBytes = 1 << 22;

// Structure only: what is quoted are the keys, which hold no escapes.
void expect_json(const std::string& text) {
  std::string open;
  bool is_quoted = false;
  for (const char character : text) {
    if (character == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (character == '{' || character == '[') open += character;
    if (character == '}' || character == ']') {
      EXPECT(!open.empty() && open.back() == (character == '}' ? '{' : '['));
      open.pop_back();
    }
  }
  EXPECT(open.empty() && !is_quoted && text.front() == '{' && text.size() < kMostMapBytes);
}

void read(const LedgerMemory& ledger) {
  const auto figures = read_ledger(ledger.base, ledger.bytes);
  const auto read = read_ledger_blocks(ledger.base, ledger.bytes);
  const auto map = map_json(ledger.base, ledger.bytes, 100);
  EXPECT(figures.has_value() == read.has_value() && figures.has_value() == map.has_value());
  if (!figures) return;
  EXPECT(figures->segment_bytes <= kMaxSafeInteger && figures->arena.live_bytes <= kMaxSafeInteger);
  EXPECT(figures->arena.live_blocks <= kMaxSafeInteger && figures->arena.cached_bytes <= kMaxSafeInteger);
  EXPECT(read->blocks.size() <= ledger.bytes / sizeof(Slot));
  for (const PublishedBlock& block : read->blocks) {
    EXPECT(block.length > 0 && block.room >= block.length && block.handle <= kMaxSafeInteger);
    EXPECT(block.room <= read->segment_bytes && block.offset <= read->segment_bytes - block.room);
  }
  expect_json(*map);
}

// Of an arena that was recovered: its blocks by offset, and that none lies over another.
std::map<uint64_t, PublishedBlock> sound_blocks(Arena& arena, const LedgerMemory& ledger, Geometry geometry) {
  const std::vector<PublishedBlock> blocks = *read_blocks(ledger.base, ledger.bytes);
  std::map<uint64_t, PublishedBlock> by_offset;
  uint64_t room = 0;
  for (const PublishedBlock& block : blocks) {
    EXPECT(by_offset.emplace(block.offset, block).second);
    EXPECT(arena.slots().find(block.handle) != kNoSlot);
    room += block.length;
  }
  uint64_t end = 0;
  for (const auto& [offset, block] : by_offset) {
    EXPECT(offset >= end && offset % geometry.granule == 0);
    end = offset + block.length;
  }
  EXPECT(end <= geometry.capacity && room + arena.free_bytes() <= geometry.capacity);
  EXPECT_EQUAL(arena.figures().live_blocks, blocks.size());
  uint64_t free_bytes = 0;
  uint64_t reached = 0;
  for (const FreeRange& range : arena.free_ranges()) {
    EXPECT(range.start >= reached && range.end > range.start && range.end <= geometry.capacity);
    reached = range.end;
    free_bytes += range.end - range.start;
    const auto behind = by_offset.lower_bound(range.start);
    EXPECT(behind == by_offset.end() || behind->first >= range.end);
    EXPECT(behind == by_offset.begin() || std::prev(behind)->first + std::prev(behind)->second.length <= range.start);
  }
  EXPECT_EQUAL(free_bytes, arena.free_bytes());
  return by_offset;
}

void use(Arena& arena, const LedgerMemory& ledger, Geometry geometry, Input& input) {
  std::map<uint64_t, PublishedBlock> blocks = sound_blocks(arena, ledger, geometry);
  for (int step = 0; step < 24; ++step) {
    if (input.byte() % 2 == 0) {
      arena.allocate(input.size(14), uint64_t{1} << (input.byte() % 13));
    } else if (!blocks.empty()) {
      const auto at = arena.is_ordered() ? std::prev(blocks.end()) : blocks.lower_bound(input.number(2));
      arena.free(at == blocks.end() ? blocks.begin()->second.handle : at->second.handle);
    }
    if (step % 4 == 3) blocks = sound_blocks(arena, ledger, geometry);
  }
  blocks = sound_blocks(arena, ledger, geometry);
  for (auto at = blocks.rbegin(); at != blocks.rend(); ++at) {
    EXPECT(arena.free(at->second.handle) == FreeOutcome::kFreed);
  }
  EXPECT_EQUAL(arena.figures().live_blocks, 0u);
  EXPECT_EQUAL(arena.figures().live_bytes, 0u);
  EXPECT(read_blocks(ledger.base, ledger.bytes)->empty());
  // A slab whose rooms found no slot, because retired ones used them up, keeps them.
  if (arena.slots().retired() == 0) EXPECT_EQUAL(arena.free_bytes(), geometry.capacity);
}

void recover(const StrategyEntry& entry, const LedgerMemory& ledger, Geometry geometry, Input& input) {
  if (geometry_of(ledger)) {
    const uint64_t segment_bytes = ledger.header().segment_bytes;
    const auto payload = std::make_unique<std::byte[]>(segment_bytes);
    if (!finish_interrupted_move(ledger, payload.get())) return;
  }
  const std::unique_ptr<Arena> arena = entry.make(ledger, geometry);
  if (arena->recover()) use(*arena, ledger, geometry, input);
  read(ledger);
}

// As a crash of the writer cannot leave it: single fields of the header and of used slots say what the input says.
void corrupt(const LedgerMemory& ledger, Input& input) {
  const uint32_t used = std::max(1u, std::min(ledger.header().slots_used, ledger.header().slot_capacity));
  for (unsigned left = input.byte() % 32; left > 0 && !input.is_empty(); --left) {
    const uint8_t kind = input.byte();
    if (kind % 8 == 0) {
      const size_t at = input.number(2) % offsetof(LedgerHeader, attachments);
      input.copy_to(ledger.base + at, std::min<size_t>(1 + input.byte() % 8, kLedgerHeaderBytes - at));
      continue;
    }
    Slot& slot = ledger.slots()[input.number(2) % used];
    const Slot& other = ledger.slots()[input.number(2) % used];
    if (kind % 8 == 1) slot = other;
    if (kind % 8 == 2) slot.word = slot_word(SlotState::kLive, 1 + input.byte());
    if (kind % 8 == 3) slot.offset = other.offset + input.number(1) * 64;
    if (kind % 8 == 4) slot.length = input.size(20);
    if (kind % 8 == 5) slot.prior = static_cast<uint32_t>(input.number(4));
    if (kind % 8 == 6) slot.prior = other.prior + input.byte();
    if (kind % 8 == 7) {
      const size_t at = input.byte() % sizeof(Slot);
      input.copy_to(reinterpret_cast<std::byte*>(&slot) + at, std::min<size_t>(input.byte() % 9, sizeof(Slot) - at));
    }
  }
}

void run_raw(const StrategyEntry& entry, Input& input) {
  // The last bytes choose what is done afterwards.
  const uint64_t bytes = input.left() - std::min<uint64_t>(input.left(), 64);
  LedgerBytes exact(std::max<uint64_t>(1, bytes));
  input.copy_to(exact.memory().base, bytes);
  read({exact.memory().base, bytes});
  if (bytes < kLedgerHeaderBytes) return;
  if (const auto geometry = geometry_of(exact.memory())) recover(entry, exact.memory(), *geometry, input);
}

void run_corrupt(const StrategyEntry& entry, Input& input) {
  const uint64_t granule = uint64_t{8} << (input.byte() % 10);
  const uint64_t granules = 1 + input.number(2) % 600;
  const Geometry geometry{granules * granule, granule};
  LedgerBytes bytes(ledger_bytes_for(geometry.capacity, granule));
  const LedgerMemory ledger = bytes.memory();
  initialise_ledger(ledger, geometry.capacity, granule, input.byte());
  {
    const std::unique_ptr<Arena> arena = entry.make(ledger, geometry);
    std::vector<uint64_t> handles;
    for (unsigned left = input.byte(); left > 0; --left) {
      const uint8_t kind = input.byte();
      if (kind % 4 == 3 && !handles.empty()) {
        arena->free(handles[kind / 4 % handles.size()]);
        continue;
      }
      const uint64_t alignment = kind % 32 == 0 ? uint64_t{1} << (input.byte() % 17) : 1;
      handles.push_back(arena->allocate(1 + (kind / 4) * granule / 8, alignment));
    }
  }
  // The header itself from the input in a share of inputs, behind what makes it plausible.
  if (input.byte() % 8 == 0) input.copy_to(&ledger.header().slots_used, 512);
  corrupt(ledger, input);
  if (input.byte() % 8 == 0) input.copy_to(ledger.slots(), ledger.bytes - kLedgerHeaderBytes);
  read(ledger);
  recover(entry, ledger, geometry, input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  Input input(data, bytes);
  const StrategyEntry& entry = any_strategy(input);
  if (input.byte() % 8 == 0) {
    run_raw(entry, input);
  } else {
    run_corrupt(entry, input);
  }
  return 0;
}
