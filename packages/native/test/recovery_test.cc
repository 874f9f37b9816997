// Recovery from what a killed or a hostile owner left, and reading beside an owner that runs. The moments of a kill
// themselves are tried out in kill/.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <random>

#include "alloc/map_json.h"
#include "alloc/strategies.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

constexpr uint64_t kGranule = 64;
constexpr uint64_t kSegment = 1 << 18;

// Shared with forked processes.
class Memory {
 public:
  explicit Memory(uint64_t bytes) : bytes_(bytes) {
    base_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
    EXPECT(base_ != MAP_FAILED);
  }
  ~Memory() { ::munmap(base_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  LedgerMemory ledger() const { return {static_cast<std::byte*>(base_), bytes_}; }

 private:
  void* base_;
  uint64_t bytes_;
};

struct Fixture {
  explicit Fixture(const StrategyEntry& entry) : strategy(entry), memory(ledger_bytes_for(kSegment, kGranule)) {
    initialise_ledger(memory.ledger(), kSegment, kGranule, 3);
    arena = strategy.make(memory.ledger(), {kSegment, kGranule});
  }
  bool recover() {
    arena = strategy.make(memory.ledger(), {kSegment, kGranule});
    return arena->recover();
  }
  Slot& slot(uint64_t handle) { return memory.ledger().slots()[handle & (kMaxSlots - 1)]; }
  LedgerHeader& header() { return memory.ledger().header(); }
  std::vector<PublishedBlock> blocks() { return *read_blocks(memory.ledger().base, memory.ledger().bytes); }

  const StrategyEntry& strategy;
  Memory memory;
  std::unique_ptr<Arena> arena;
};

bool is_number(const std::string& json, size_t& at) {
  const size_t begin = at;
  while (at < json.size() && (std::isdigit(static_cast<unsigned char>(json[at])) != 0 || json[at] == '.')) ++at;
  const std::string text = json.substr(begin, at - begin);
  const bool leading_zero = text.size() > 1 && text[0] == '0' && text[1] != '.';
  return !text.empty() && text.front() != '.' && text.back() != '.' && !leading_zero &&
         std::count(text.begin(), text.end(), '.') <= 1;
}

// The grammar of JSON as far as maps use it: objects, lists, plain keys, numbers without sign or exponent.
bool is_value(const std::string& json, size_t& at) {
  const char opened = json[at];
  if (opened != '{' && opened != '[') return is_number(json, at);
  const char closing = opened == '{' ? '}' : ']';
  if (json[++at] == closing) return ++at, true;
  for (;; ++at) {
    if (opened == '{') {
      if (json[at++] != '"') return false;
      while (std::isalpha(static_cast<unsigned char>(json[at])) != 0) ++at;
      if (json[at++] != '"' || json[at++] != ':') return false;
    }
    if (!is_value(json, at)) return false;
    if (json[at] == closing) return ++at, true;
    if (json[at] != ',') return false;
  }
}
bool is_json(const std::string& json) {
  size_t at = 0;
  return is_value(json, at) && at == json.size();
}

void expect_free_again(Fixture& fixture) {
  std::vector<PublishedBlock> blocks = fixture.blocks();
  std::sort(blocks.begin(), blocks.end(), [](const auto& left, const auto& right) { return left.offset > right.offset; });
  uint64_t above = kSegment;
  for (const PublishedBlock& block : blocks) {
    EXPECT(block.offset + block.length <= above);
    above = block.offset;
    EXPECT(fixture.arena->free(block.handle) == FreeOutcome::kFreed);
  }
  EXPECT_EQUAL(fixture.arena->free_bytes(), kSegment);
  EXPECT_EQUAL(fixture.arena->largest_free_bytes(), kSegment);
  EXPECT_EQUAL(fixture.header().taken_bytes, 0u);
  EXPECT(fixture.arena->allocate(kSegment, 1) != 0);
}

}  // namespace

TEST("recovery: figures, attachments and pins after a death, for every strategy") {
  for (const StrategyEntry& strategy : strategies()) {
    Fixture fixture(strategy);
    std::vector<uint64_t> handles;
    for (int at = 0; at < 60; ++at) handles.push_back(fixture.arena->allocate(100 + 37 * at, 1));
    for (int at = 0; at < 20; ++at) {
      EXPECT(fixture.arena->free(handles.back()) == FreeOutcome::kFreed);
      handles.pop_back();
    }
    const uint64_t taken = fixture.header().taken_bytes;
    uint32_t slots[8];
    if (!fixture.arena->is_ordered()) EXPECT_EQUAL(fixture.arena->reserve(2, 5, slots), 8u);
    Attachment& attachment = fixture.header().attachments[1];
    attachment = {1, 0, 7, 5, 512, 9};
    fixture.header().attachments_used = 2;
    fixture.slot(handles[3]).pins = 4;
    EXPECT(fixture.recover());
    EXPECT_EQUAL(fixture.arena->left_out(), 0u);
    const ArenaFigures figures = fixture.arena->figures();
    EXPECT_EQUAL(figures.live_blocks, 40u);
    EXPECT_EQUAL(figures.allocations, 67u);
    EXPECT_EQUAL(figures.frees, 27u);
    EXPECT_EQUAL(figures.cached_bytes, 0u);
    EXPECT_EQUAL(figures.live_bytes, taken);
    EXPECT_EQUAL(fixture.arena->free_bytes() + taken, kSegment);
    EXPECT(figures.high_water_bytes >= taken);
    EXPECT_EQUAL(attachment.in_use, 0u);
    EXPECT_EQUAL(fixture.header().attachments_used, 0u);
    EXPECT_EQUAL(fixture.slot(handles[3]).pins, 0);
    expect_free_again(fixture);
  }
}

TEST("recovery: a header that does not describe the arena is refused and nothing is written") {
  const auto refuse = [](const char* what, auto change) {
    Fixture fixture(*find_strategy("first_fit"));
    const uint64_t handle = fixture.arena->allocate(100, 1);
    change(fixture.header());
    const uint32_t word = fixture.slot(handle).word;
    if (fixture.recover()) test::fail(__FILE__, __LINE__, what);
    EXPECT_EQUAL(fixture.slot(handle).word, word);
  };
  refuse("slots_used", [](LedgerHeader& header) { header.slots_used = UINT32_MAX; });
  refuse("slots_used by one", [](LedgerHeader& header) { header.slots_used = header.slot_capacity + 1; });
  refuse("slot_capacity", [](LedgerHeader& header) { header.slot_capacity *= 2; });
  refuse("segment_bytes", [](LedgerHeader& header) { header.segment_bytes *= 2; });
  refuse("granule", [](LedgerHeader& header) { header.granule_log2 = 77; });
  refuse("magic", [](LedgerHeader& header) { header.magic = 0; });
  refuse("version", [](LedgerHeader& header) { ++header.version; });
  refuse("another strategy's rooms", [](LedgerHeader& header) { header.power_of_two_rooms = 1; });
}

TEST("recovery: an arena that has given out something is not recovered into") {
  Fixture fixture(*find_strategy("best_fit"));
  fixture.arena->allocate(100, 1);
  EXPECT(!fixture.arena->recover());
}

TEST("recovery: blocks that cannot be are left out and counted, the others stay") {
  const auto leave_out = [](const StrategyEntry& strategy, const char* what, auto change) {
    Fixture fixture(strategy);
    std::vector<uint64_t> handles;
    for (int at = 0; at < 9; ++at) handles.push_back(fixture.arena->allocate(1000, 1));
    change(fixture, fixture.slot(handles[4]), handles);
    EXPECT(fixture.recover());
    if (fixture.arena->left_out() != 1) test::fail(__FILE__, __LINE__, std::string(strategy.name) + ": " + what);
    EXPECT_EQUAL(fixture.arena->figures().live_blocks, 8u);
    EXPECT(fixture.arena->free(handles[4]) == FreeOutcome::kUnknownBlock);
    expect_free_again(fixture);
  };
  for (const StrategyEntry& strategy : strategies()) {
    leave_out(strategy, "length 0", [](auto&, Slot& slot, auto&) { slot.length = 0; });
    leave_out(strategy, "length huge", [](auto&, Slot& slot, auto&) { slot.length = UINT64_MAX; });
    leave_out(strategy, "outside", [](auto&, Slot& slot, auto&) { slot.offset = kSegment; });
    leave_out(strategy, "far outside", [](auto&, Slot& slot, auto&) { slot.offset = UINT64_MAX - 63; });
    leave_out(strategy, "between granules", [](auto&, Slot& slot, auto&) { slot.offset += 1; });
    leave_out(strategy, "over another", [](auto& fixture, Slot& slot, auto& handles) {
      slot.offset = fixture.slot(handles[3]).offset;
    });
    leave_out(strategy, "generation 0",
              [](auto&, Slot& slot, auto&) { slot.word = slot_word(SlotState::kLive, 0); });
  }
}

TEST("recovery: whatever bytes a ledger holds, it ends, answers, and leaves a whole arena") {
  std::mt19937_64 random(2);
  for (const StrategyEntry& strategy : strategies()) {
    uint64_t left_out = 0;
    uint64_t kept = 0;
    for (int round = 0; round < 400; ++round) {
      Fixture fixture(strategy);
      for (int at = 0; at < 200; ++at) fixture.arena->allocate(1 + random() % 3000, 1);
      const uint32_t used = fixture.header().slots_used;
      auto* const slots = reinterpret_cast<unsigned char*>(fixture.memory.ledger().slots());
      const int changes = 1 << random() % 9;
      for (int change = 0; change < changes; ++change) {
        const uint64_t value = random();
        // Near values do more harm than any.
        auto* const at = slots + random() % (used * sizeof(Slot) - 8) / 4 * 4;
        if (change % 3 == 0) std::memcpy(at, slots + random() % (used * sizeof(Slot) - 8) / 4 * 4, 4);
        if (change % 3 == 1) *at = static_cast<unsigned char>(value);
        if (change % 3 == 2) std::memcpy(at, &value, 4);
      }
      LedgerHeader& header = fixture.header();
      std::generate_n(reinterpret_cast<uint64_t*>(&header.allocations), 7, random);
      std::generate_n(reinterpret_cast<uint64_t*>(header.attachments), kMaxAttachments * 8, random);
      header.attachments_used = static_cast<uint32_t>(random());
      EXPECT(is_json(*map_json(fixture.memory.ledger().base, fixture.memory.ledger().bytes)));
      EXPECT(fixture.recover());
      left_out += fixture.arena->left_out();
      kept += fixture.arena->figures().live_blocks;
      EXPECT_EQUAL(fixture.blocks().size(), fixture.arena->figures().live_blocks);
      if (!fixture.arena->is_ordered()) {
        EXPECT_EQUAL(fixture.arena->free_bytes() + header.taken_bytes, kSegment);
      }
      expect_free_again(fixture);
    }
    EXPECT(left_out > 0 && kept > 0);
  }
}

TEST("recovery: a hostile header alone gives nothing or a geometry that fits the memory") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; ++round) {
    Memory memory(8192);
    LedgerHeader& header = memory.ledger().header();
    std::generate_n(reinterpret_cast<uint64_t*>(&header), 32, random);
    header.magic = kLedgerMagic;
    header.version = kLedgerVersion;
    if (round % 2 == 0) header.granule_log2 = random() % 20;
    if (round % 3 == 0) header.segment_bytes = random() % 40000;
    if (round % 5 != 0) header.slot_capacity = random() % 200;
    header.slots_used = random() % 150;
    const std::optional<Geometry> geometry = geometry_of(memory.ledger());
    if (geometry) EXPECT(ledger_bytes_for(geometry->capacity, geometry->granule) <= 8192);
    EXPECT(is_json(*map_json(memory.ledger().base, 8192)));
    EXPECT(read_blocks(memory.ledger().base, 8192)->size() <= 4096 / sizeof(Slot));
  }
}

TEST("recovery: an initialisation that was killed brings no old block or handle back") {
  for (const StrategyEntry& strategy : strategies()) {
    Fixture fixture(strategy);
    std::vector<uint64_t> old;
    for (int at = 0; at < 50; ++at) old.push_back(fixture.arena->allocate(200, 1));
    // As far as initialise_ledger comes before its first slot; the next arena then starts from scratch.
    fixture.header().magic = 0;
    EXPECT(!fixture.recover());
    initialise_ledger(fixture.memory.ledger(), kSegment, kGranule, 3);
    EXPECT(fixture.blocks().empty());
    fixture.arena = strategy.make(fixture.memory.ledger(), {kSegment, kGranule});
    for (int at = 0; at < 50; ++at) {
      fixture.arena->allocate(200, 1);
      EXPECT_EQUAL(fixture.blocks().size(), static_cast<size_t>(at + 1));
    }
    for (const uint64_t handle : old) EXPECT(fixture.arena->free(handle) == FreeOutcome::kUnknownBlock);
  }
}

TEST("map: rooms, free ranges and both figures of fragmentation") {
  Fixture fixture(*find_strategy("buddy"));
  const uint64_t first = fixture.arena->allocate(100, 1);
  const uint64_t second = fixture.arena->allocate(64, 1024);
  fixture.slot(second).pins = 2;
  const auto map = [&](size_t most) {
    return *map_json(fixture.memory.ledger().base, fixture.memory.ledger().bytes, most);
  };
  const std::string head =
      "{\"segmentBytes\":262144,\"granule\":64,\"liveBlocks\":2,\"liveBytes\":1152,\"requestedBytes\":164,"
      "\"freeBytes\":260992,\"largestFreeBytes\":260096,\"fragmentation\":0.995605,"
      "\"freeShareOutsideLargest\":0.003433,\"overlaps\":0,";
  EXPECT_EQUAL(map(9), head + "\"blocks\":[{\"offset\":0,\"length\":100,\"room\":128,\"handle\":" +
                           std::to_string(first) + ",\"pins\":0},{\"offset\":1024,\"length\":64,\"room\":1024,\"handle\":" +
                           std::to_string(second) +
                           ",\"pins\":2}],\"blocksLeftOut\":0,\"free\":[{\"offset\":128,\"bytes\":896},"
                           "{\"offset\":2048,\"bytes\":260096}],\"freeLeftOut\":0}");
  EXPECT_EQUAL(map(0), head + "\"blocks\":[],\"blocksLeftOut\":2,\"free\":[],\"freeLeftOut\":2}");
  EXPECT(!map_json(fixture.memory.ledger().base, 100).has_value());
}

// Each length has places of its own, so a place under another block's name shows.
TEST("readers: never a block at a wrong place while its owner allocates and frees") {
  constexpr uint64_t kLengths = 200;
  Fixture fixture(*find_strategy("best_fit"));
  const Memory stop(4096);
  auto& is_over = *reinterpret_cast<uint32_t*>(stop.ledger().base);
  const pid_t reader = ::fork();
  EXPECT(reader >= 0);
  if (reader == 0) {
    const LedgerMemory& ledger = fixture.memory.ledger();
    if (::mprotect(ledger.base, ledger.bytes, PROT_READ) != 0) ::_exit(2);
    uint64_t seen = 0;
    while (load_acquire(is_over) == 0 || seen == 0) {
      const std::optional<std::vector<PublishedBlock>> blocks = read_blocks(ledger.base, ledger.bytes);
      for (const PublishedBlock& block : *blocks) {
        ++seen;
        if (block.offset / 1024 != block.length - 1 || block.room < block.length) ::_exit(3);
      }
      if (!is_json(*map_json(ledger.base, ledger.bytes))) ::_exit(4);
    }
    ::_exit(0);
  }
  std::mt19937_64 random(4);
  std::map<uint64_t, uint64_t> live;  // by length, the handle
  for (int round = 0; round < 300000; ++round) {
    const uint64_t length = 1 + random() % kLengths;
    const auto found = live.find(length);
    if (found != live.end()) {
      EXPECT(fixture.arena->free(found->second) == FreeOutcome::kFreed);
      live.erase(found);
    } else {
      live[length] = fixture.arena->allocate_at((length - 1) * 1024, length);
      EXPECT(live[length] != 0);
    }
    if (round % 1000 == 0) ::sched_yield();
  }
  if (live.empty()) fixture.arena->allocate_at(0, 1);  // the reader waits to see one
  store_release(is_over, uint32_t{1});
  int status = 0;
  EXPECT(::waitpid(reader, &status, 0) == reader);
  EXPECT_EQUAL(status, 0);
}
