// Only whole numbers below 2^53 and shares between 0 and 1 are written, both from integers, so no value and no locale
// can make the text anything but JSON that every parser reads exactly.
#include "alloc/map_json.h"

#include <algorithm>

#include "alloc/ledger.h"

namespace nautilus {
namespace {

constexpr uint64_t kMillion = 1'000'000;

void append_number(std::string& json, const char* key, uint64_t value) {
  json += '"';
  json += key;
  json += "\":";
  json += std::to_string(std::min(value, kMaxSafeInteger));
}

// part / whole with six digits, rounded to the nearest.
std::string share(uint64_t part, uint64_t whole) {
  if (whole == 0) return "0";
  const double exact = static_cast<double>(part) / static_cast<double>(whole);
  const auto millionths = std::min(kMillion, static_cast<uint64_t>(exact * static_cast<double>(kMillion) + 0.5));
  if (millionths == kMillion) return "1";
  return "0." + std::to_string(kMillion + millionths).substr(1);
}

class Sweep {
 public:
  Sweep(uint64_t segment_bytes, size_t most_entries) : end_(segment_bytes), most_entries_(most_entries) {}

  void block(const PublishedBlock& block) {
    if (block.offset < reached_) ++overlaps;
    free_until(block.offset);
    reached_ = std::max(reached_, block.offset + block.room);
    requested_bytes = std::min(requested_bytes + block.length, kMaxSafeInteger);
    if (blocks++ >= most_entries_) return;
    if (!blocks_json.empty()) blocks_json += ',';
    blocks_json += '{';
    append_number(blocks_json, "offset", block.offset);
    append_number(blocks_json += ',', "length", block.length);
    if (block.room != block.length) append_number(blocks_json += ',', "room", block.room);
    append_number(blocks_json += ',', "handle", block.handle);
    append_number(blocks_json += ',', "pins", block.pins);
    blocks_json += '}';
  }
  void finish() { free_until(end_); }

  uint64_t blocks = 0;
  uint64_t free_ranges = 0;
  uint64_t overlaps = 0;
  uint64_t requested_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t largest_free_bytes = 0;
  std::string blocks_json;
  std::string free_json;

 private:
  void free_until(uint64_t offset) {
    if (offset <= reached_) return;
    const uint64_t bytes = offset - reached_;
    free_bytes += bytes;
    largest_free_bytes = std::max(largest_free_bytes, bytes);
    if (free_ranges++ >= most_entries_) return;
    if (!free_json.empty()) free_json += ',';
    free_json += '{';
    append_number(free_json, "offset", reached_);
    append_number(free_json += ',', "bytes", bytes);
    free_json += '}';
  }

  uint64_t reached_ = 0;
  uint64_t end_;
  size_t most_entries_;
};

}  // namespace

std::optional<std::string> map_json(const std::byte* ledger, uint64_t bytes, size_t most_entries) {
  std::optional<LedgerBlocks> read = read_ledger_blocks(ledger, bytes);
  if (!read) return std::nullopt;
  std::sort(read->blocks.begin(), read->blocks.end(), [](const PublishedBlock& left, const PublishedBlock& right) {
    return left.offset != right.offset ? left.offset < right.offset : left.handle < right.handle;
  });
  const uint64_t segment_bytes = read->segment_bytes;
  Sweep sweep(segment_bytes, most_entries);
  for (const PublishedBlock& block : read->blocks) sweep.block(block);
  sweep.finish();
  const uint64_t live_bytes = segment_bytes - sweep.free_bytes;
  const uint64_t outside = sweep.free_bytes - sweep.largest_free_bytes;
  const uint64_t shown = most_entries;
  std::string json = "{";
  append_number(json, "segmentBytes", segment_bytes);
  append_number(json += ',', "granule", read->granule);
  append_number(json += ',', "liveBlocks", sweep.blocks);
  append_number(json += ',', "liveBytes", live_bytes);
  append_number(json += ',', "requestedBytes", sweep.requested_bytes);
  append_number(json += ',', "freeBytes", sweep.free_bytes);
  append_number(json += ',', "largestFreeBytes", sweep.largest_free_bytes);
  json += ",\"fragmentation\":" + share(sweep.free_bytes, segment_bytes);
  json += ",\"freeShareOutsideLargest\":" + share(outside, sweep.free_bytes);
  append_number(json += ',', "overlaps", sweep.overlaps);
  json += ",\"blocks\":[" + sweep.blocks_json + "]";
  append_number(json += ',', "blocksLeftOut", sweep.blocks - std::min(sweep.blocks, shown));
  json += ",\"free\":[" + sweep.free_json + "]";
  append_number(json += ',', "freeLeftOut", sweep.free_ranges - std::min(sweep.free_ranges, shown));
  json += '}';
  return json;
}

}  // namespace nautilus
