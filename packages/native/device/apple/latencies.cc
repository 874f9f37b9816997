// Every loop is warm before it is timed.
#include "device/apple/latencies.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>

#include "alloc/strategies.h"

namespace nautilus {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kBatch = 64;
constexpr uint64_t kBlockBytes = 4096;
constexpr uint64_t kSegmentBytes = uint64_t{64} << 20;
constexpr uint64_t kGranuleBytes = 64;
constexpr uint64_t kWaitMs = 10'000;
constexpr uint64_t kMostSpins = uint64_t{1} << 32;

double ns_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

// A word alone in its cache line, and in that of processors which fetch two.
struct alignas(128) Word {
  std::atomic<uint64_t> value{0};
};
struct Exchange {
  Word ping;
  Word pong;
};

bool spin_until(const std::atomic<uint64_t>& word, uint64_t value) {
  for (uint64_t spins = 0; spins < kMostSpins; ++spins) {
    if (word.load(std::memory_order_acquire) == value) return true;
  }
  return false;
}

}  // namespace

Latency summarise(std::string name, uint64_t bytes, uint64_t batch, std::vector<double> samples_ns) {
  std::sort(samples_ns.begin(), samples_ns.end());
  const auto rank = [&](double share) {
    const auto at = static_cast<size_t>(share * static_cast<double>(samples_ns.size()));
    return samples_ns[std::min(at, samples_ns.size() - 1)];
  };
  return {std::move(name), bytes, samples_ns.size(), batch, rank(0.5), rank(0.999)};
}

Latency measure_allocate(uint64_t samples) {
  std::vector<std::byte> memory(ledger_bytes_for(kSegmentBytes, kGranuleBytes) + 4096);
  void* at = memory.data();
  size_t room = memory.size();
  std::align(4096, memory.size() - 4096, at, room);
  const LedgerMemory ledger{static_cast<std::byte*>(at), memory.size() - 4096};
  initialise_ledger(ledger, kSegmentBytes, kGranuleBytes, 1);
  const auto arena = find_strategy("slab")->make(ledger, {kSegmentBytes, kGranuleBytes});
  std::vector<uint64_t> handles(kBatch);
  std::vector<double> taken;
  for (uint64_t sample = 0; sample < samples + samples / 10 + 1; ++sample) {
    const auto begin = Clock::now();
    for (uint64_t& handle : handles) handle = arena->allocate(kBlockBytes, 1);
    const double ns = ns_since(begin) / static_cast<double>(kBatch);
    for (uint64_t handle : handles) arena->free(handle);
    if (sample > samples / 10) taken.push_back(ns);
  }
  return summarise("allocate", kBlockBytes, kBatch, std::move(taken));
}

Latency measure_hand_over(const DeviceBuffer& buffer, uint64_t samples) {
  std::vector<double> taken;
  uint64_t seen = 0;
  for (uint64_t sample = 0; sample < samples + samples / 10 + 1; ++sample) {
    const auto begin = Clock::now();
    for (uint64_t call = 0; call < kBatch; ++call) {
      const DeviceBuffer::Place place = buffer.place((seen + call * 64) % buffer.bytes());
      seen += place.base + place.offset;
    }
    const double ns = ns_since(begin) / static_cast<double>(kBatch);
    if (sample > samples / 10) taken.push_back(ns);
  }
  // So that the compiler cannot drop the calls.
  static std::atomic<uint64_t> sink;
  sink.store(seen, std::memory_order_relaxed);
  return summarise("hand over", 0, kBatch, std::move(taken));
}

bool measure_visible(uint64_t samples, Latency& latency, std::string& why) {
  void* const memory = ::mmap(nullptr, sizeof(Exchange), PROT_READ | PROT_WRITE, MAP_ANON | MAP_SHARED, -1, 0);
  if (memory == MAP_FAILED) {
    why = "no shared memory";
    return false;
  }
  auto* const exchange = new (memory) Exchange;
  const uint64_t warm = samples / 10 + 1;
  const pid_t peer = ::fork();
  if (peer == 0) {
    for (uint64_t turn = 1; turn <= samples + warm; ++turn) {
      if (!spin_until(exchange->ping.value, turn)) ::_exit(1);
      exchange->pong.value.store(turn, std::memory_order_release);
    }
    ::_exit(0);
  }
  std::vector<double> taken;
  if (peer < 0) why = "no second process";
  for (uint64_t turn = 1; why.empty() && turn <= samples + warm; ++turn) {
    const auto begin = Clock::now();
    exchange->ping.value.store(turn, std::memory_order_release);
    if (!spin_until(exchange->pong.value, turn)) why = "the peer stopped answering";
    if (turn > warm) taken.push_back(ns_since(begin) / 2);
  }
  if (peer > 0) {
    if (!why.empty()) ::kill(peer, SIGKILL);
    ::waitpid(peer, nullptr, 0);
  }
  ::munmap(memory, sizeof(Exchange));
  if (!why.empty()) return false;
  latency = summarise("visible to a spinning peer", 8, 1, std::move(taken));
  return true;
}

bool measure_completed(Device& device, DeviceBuffer& buffer, uint64_t bytes, uint64_t samples, Latency& latency,
                       std::string& why) {
  Operation operation;
  operation.target = {&buffer, 0, bytes};
  std::vector<double> taken;
  for (uint64_t sample = 0; sample < samples + samples / 10 + 1; ++sample) {
    operation.value = static_cast<uint8_t>(sample);
    const auto begin = Clock::now();
    const Submitted submitted = device.submit(operation);
    const DeviceResult result = submitted.ticket == 0 ? submitted.refusal : device.wait(submitted.ticket, kWaitMs);
    const double ns = ns_since(begin);
    if (result.status != DeviceStatus::kDone) {
      why = result.reason;
      return false;
    }
    if (sample > samples / 10) taken.push_back(ns);
  }
  latency = summarise("completed by the device", bytes, 1, std::move(taken));
  return true;
}

}  // namespace nautilus
