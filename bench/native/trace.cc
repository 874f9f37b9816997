// The file is untrusted: it may come from anybody's recorder.
#include "trace.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <unordered_map>

namespace nautilus::bench {
namespace {

struct Record {
  uint32_t op;
  uint32_t id;
  uint64_t size;
};
static_assert(sizeof(Record) == 16);

constexpr uint64_t kMostBytes = uint64_t{1} << 47;  // what a process can address

std::vector<Record> read_records(const std::string& name, const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) throw std::runtime_error("trace " + name + ": " + std::strerror(errno));
  std::vector<Record> records;
  std::vector<Record> chunk(1 << 16);
  for (size_t bytes = 0;; records.insert(records.end(), chunk.begin(), chunk.begin() + static_cast<ptrdiff_t>(bytes / 16))) {
    bytes = std::fread(chunk.data(), 1, chunk.size() * sizeof(Record), file.get());
    if (std::ferror(file.get()) != 0) throw std::runtime_error("trace " + name + ": it cannot be read");
    if (bytes % sizeof(Record) != 0) {
      throw std::runtime_error("trace " + name + ", record " + std::to_string(records.size() + bytes / 16) + ": ends after " +
                               std::to_string(bytes % 16) + " of 16 bytes");
    }
    if (bytes == 0) break;
  }
  if (records.empty()) throw std::runtime_error("trace " + name + ": it is empty");
  return records;
}

}  // namespace

Trace read_trace(const std::string& name, const std::string& path) {
  const std::vector<Record> records = read_records(name, path);
  Trace trace;
  trace.name = name;
  trace.events.reserve(records.size());
  struct Live {
    uint32_t block;
    uint64_t bytes;
  };
  std::unordered_map<uint32_t, Live> live;
  uint64_t live_bytes = 0;
  for (size_t at = 0; at < records.size(); ++at) {
    const Record& record = records[at];
    const auto fail = [&](const std::string& why) {
      throw std::runtime_error("trace " + name + ", record " + std::to_string(at) + ": " + why);
    };
    if (record.op > 1) fail("operation " + std::to_string(record.op) + ", known are 0 (allocate) and 1 (free)");
    if (record.op == 1) {
      const auto found = live.find(record.id);
      if (found == live.end()) fail("id " + std::to_string(record.id) + " is freed but is not allocated");
      trace.events.push_back({0, found->second.block});
      live_bytes -= found->second.bytes;
      live.erase(found);
      continue;
    }
    if (record.size > kMostBytes) fail(std::to_string(record.size) + " bytes are more than can be addressed");
    const uint64_t bytes = std::max<uint64_t>(1, record.size);
    if (!live.try_emplace(record.id, Live{trace.blocks, bytes}).second) {
      fail("id " + std::to_string(record.id) + " is allocated a second time");
    }
    trace.events.push_back({bytes, trace.blocks++});
    live_bytes += bytes;
    if (live_bytes > trace.peak_live_bytes) {
      trace.peak_live_bytes = live_bytes;
      trace.peak_event = at;
    }
  }
  for (const auto& [id, entry] : live) trace.left.push_back(entry.block);
  std::sort(trace.left.begin(), trace.left.end());
  return trace;
}

}  // namespace nautilus::bench
