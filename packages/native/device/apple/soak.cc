// Each thread owns a part of one segment that is imported once, as a pool is; a further thread leases segments.
#include "device/apple/soak.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "device/crc32c.h"

namespace nautilus {
namespace {

constexpr uint64_t kThreads = 4;
constexpr uint64_t kPartBytes = uint64_t{1} << 20;
constexpr uint64_t kLeasedBytes = uint64_t{8} << 20;
constexpr auto kLeaseEvery = std::chrono::milliseconds(100);
constexpr uint64_t kWaitMs = 30'000;

class Pages {
 public:
  explicit Pages(uint64_t bytes)
      : bytes_(bytes), base_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANON | MAP_SHARED, -1, 0)) {}
  ~Pages() {
    if (is_there()) ::munmap(base_, bytes_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  bool is_there() const { return base_ != MAP_FAILED; }
  std::span<std::byte> span() const { return {static_cast<std::byte*>(base_), bytes_}; }

 private:
  uint64_t bytes_;
  void* base_;
};

class Tally {
 public:
  void failed(const std::string& what) { note(result_.failures, what); }
  void mismatched(const std::string& what) { note(result_.mismatches, what); }
  void imported() {
    const std::lock_guard guard(lock_);
    ++result_.imports;
  }
  void done(uint64_t operations, uint64_t bytes) {
    const std::lock_guard guard(lock_);
    result_.operations += operations;
    result_.bytes += bytes;
  }
  bool is_clean() {
    const std::lock_guard guard(lock_);
    return result_.first.empty();
  }
  SoakResult result() { return result_; }

 private:
  void note(uint64_t& counter, const std::string& what) {
    const std::lock_guard guard(lock_);
    ++counter;
    if (result_.first.empty()) result_.first = what;
  }

  std::mutex lock_;
  SoakResult result_;
};

// One thread's part: what the device does to it, the model does too.
class Part {
 public:
  Part(Device& device, DeviceBuffer& buffer, uint64_t offset, uint64_t seed)
      : device_(device), buffer_(buffer), offset_(offset), random_(seed), model_(kPartBytes) {
    std::memcpy(model_.data(), memory(), kPartBytes);
  }

  // False after the first thing that is wrong.
  bool step(Tally& tally) {
    Operation operation;
    operation.kind = static_cast<Operation::Kind>(random_() % 5);
    const uint64_t bytes = random_() % (kPartBytes / 2 + 1);
    const uint64_t to = random_() % (kPartBytes - bytes + 1);
    uint64_t from = random_() % (kPartBytes - bytes + 1);
    if (operation.kind == Operation::Kind::kCopy) from = to >= bytes ? 0 : kPartBytes - bytes;
    if (operation.kind == Operation::Kind::kCopy && from < to + bytes && to < from + bytes) return true;
    operation.target = {&buffer_, offset_ + to, bytes};
    operation.source = {&buffer_, offset_ + from, bytes};
    operation.value = static_cast<uint8_t>(random_());
    const BlockMove move{offset_ + from, offset_ + to, bytes};
    if (operation.kind == Operation::Kind::kMove) operation.moves = {&move, 1};
    const Submitted submitted = device_.submit(operation);
    const DeviceResult result = submitted.ticket == 0 ? submitted.refusal : device_.wait(submitted.ticket, kWaitMs);
    tally.done(1, bytes);
    if (result.status != DeviceStatus::kDone) {
      tally.failed(text(operation, from, to, bytes) + ": " + result.reason);
      return false;
    }
    return follow(operation, from, to, bytes, result.checksum, tally);
  }

 private:
  const std::byte* memory() const { return buffer_.host_address() + offset_; }

  static std::string text(const Operation& operation, uint64_t from, uint64_t to, uint64_t bytes) {
    return "operation " + std::to_string(static_cast<int>(operation.kind)) + " of " + std::to_string(bytes) +
           " bytes from " + std::to_string(from) + " to " + std::to_string(to);
  }

  bool follow(const Operation& operation, uint64_t from, uint64_t to, uint64_t bytes, uint32_t checksum,
              Tally& tally) {
    switch (operation.kind) {
      case Operation::Kind::kFill:
        std::memset(model_.data() + to, operation.value, bytes);
        break;
      case Operation::Kind::kScrub:
        std::memset(model_.data() + to, 0, bytes);
        break;
      case Operation::Kind::kCopy:
      case Operation::Kind::kMove:
        std::memmove(model_.data() + to, model_.data() + from, bytes);
        break;
      case Operation::Kind::kChecksum:
        if (checksum == crc32c(std::span(model_).subspan(to, bytes))) return true;
        tally.mismatched(text(operation, from, to, bytes) + ": another checksum than the host's");
        return false;
    }
    if (std::memcmp(model_.data(), memory(), kPartBytes) == 0) return true;
    tally.mismatched(text(operation, from, to, bytes) + ": other bytes than the model's");
    return false;
  }

  Device& device_;
  DeviceBuffer& buffer_;
  uint64_t offset_;
  std::mt19937_64 random_;
  std::vector<std::byte> model_;
};

void lease(Device& device, const std::function<bool()>& goes_on, Tally& tally) {
  while (goes_on() && tally.is_clean()) {
    const Pages pages(kLeasedBytes);
    std::string why = pages.is_there() ? "" : "no memory for a segment";
    const auto buffer = pages.is_there() ? device.import(pages.span(), true, why) : nullptr;
    if (buffer == nullptr) {
      tally.failed(why);
      return;
    }
    tally.imported();
    std::this_thread::sleep_for(kLeaseEvery);
  }
}

}  // namespace

SoakResult soak(Device& device, uint64_t seed, const std::function<bool()>& goes_on) {
  Tally tally;
  const Pages pages(kThreads * kPartBytes);
  std::string why = "no memory for the pool";
  const auto buffer = pages.is_there() ? device.import(pages.span(), true, why) : nullptr;
  if (buffer == nullptr || buffer->host_address() == nullptr) {
    tally.failed(buffer == nullptr ? why : "the host does not reach the buffer, so nothing can be compared");
    return tally.result();
  }
  std::vector<std::thread> threads;
  for (uint64_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      Part part(device, *buffer, number * kPartBytes, seed + number);
      while (goes_on() && tally.is_clean() && part.step(tally)) continue;
    });
  }
  threads.emplace_back([&] { lease(device, goes_on, tally); });
  for (std::thread& thread : threads) thread.join();
  return tally.result();
}

}  // namespace nautilus
