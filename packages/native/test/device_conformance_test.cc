// Every device of every kind runs the suite, and several threads at once.
#include <atomic>
#include <thread>

#include "test/device_conformance.h"

using namespace nautilus;
using namespace nautilus::test;

#if defined(__has_feature)
#define NAUTILUS_HAS_FEATURE(x) __has_feature(x)
#else
#define NAUTILUS_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || NAUTILUS_HAS_FEATURE(address_sanitizer)
// What drivers keep for the life of the process is theirs; nothing of ours is in these libraries.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libvulkan\nleak:libLLVM\n"; }
#endif

namespace {

#if defined(__SANITIZE_THREAD__) || NAUTILUS_HAS_FEATURE(thread_sanitizer)
constexpr bool kSeesThreads = true;
#else
constexpr bool kSeesThreads = false;
#endif

void test_threads(Device& device) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  const SharedPages pages(kThreads * 4096);
  const auto buffer = import_all(device, pages.all());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int self = 0; self < kThreads; ++self) {
    threads.emplace_back([&, self] {
      const uint64_t begin = static_cast<uint64_t>(self) * 4096;
      for (int round = 0; round < kRounds; ++round) {
        const auto value = static_cast<uint8_t>(round + self);
        const Submitted fill = device.submit(fill_of(*buffer, begin + 1, 4094, value));
        const Submitted check = device.submit(checksum_of(*buffer, begin, 4096));
        if (device.wait(check.ticket, 60'000).status != DeviceStatus::kDone) ++wrong;
        if (device.wait(fill.ticket, 60'000).status != DeviceStatus::kDone) ++wrong;
        if (pages[begin + 1] != std::byte{value} || pages[begin] != std::byte{0}) ++wrong;
        if (!device.health().is_usable) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQUAL(wrong.load(), 0);
  EXPECT_EQUAL(device.health().submitted, static_cast<uint64_t>(2 * kThreads * kRounds));
}

// A loss that one thread meets ends the waiting of all.
void test_lost_under_threads(Device& device) {
  const SharedPages pages(4 << 20);
  const auto buffer = import_all(device, pages.all());
  device.inject(InjectedFault::kLostAtSubmit, 100);
  std::vector<std::thread> threads;
  std::atomic<int> ended{0};
  for (int self = 0; self < 4; ++self) {
    threads.emplace_back([&] {
      while (true) {
        const Submitted submitted = device.submit(fill_of(*buffer, 0, 1000, 1));
        if (submitted.ticket != 0 && device.wait(submitted.ticket, 60'000).status == DeviceStatus::kDone) continue;
        ++ended;
        return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQUAL(ended.load(), 4);
  EXPECT(!device.health().is_usable);
}


bool add_all() {
  for (const DeviceKind& kind : device_kinds()) {
    const std::string name = std::string("device ") + kind.name;
    if (kSeesThreads && &kind != device_kinds().data()) {
      add(name, [] { throw Skipped{"ThreadSanitizer sees no synchronisation inside a driver, which is built without it"}; });
      continue;
    }
    const OpenDevice open = opener(kind);
    add_device_suite(name, open);
    add_device_fault_suite(name, open);
    add_device_test(name + ": several threads use it at once", open,
                    [](Device& device, const auto&) { test_threads(device); });
    add_device_test(name + ": a loss ends the waiting of all threads", open,
                    [](Device& device, const auto&) { test_lost_under_threads(device); });
  }
  return true;
}
const bool added = add_all();

}  // namespace

TEST("devices: the host is always there, and every other kind is there or says why not") {
  EXPECT_EQUAL(std::string(device_kinds().front().name), "host");
  for (const DeviceKind& kind : kSeesThreads ? device_kinds().first(1) : device_kinds()) {
    const DeviceKind::Found found = kind.detect();
    EXPECT(!found.devices.empty() || !found.reason.empty());
    for (const auto& device : found.devices) EXPECT_EQUAL(device->info().kind, kind.name);
  }
  EXPECT_EQUAL(device_kinds().front().detect().devices.size(), 1u);
}
