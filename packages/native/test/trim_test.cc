// Trimming: which pages are free is checked against every byte of a model; that they are gone, and that live blocks
// keep their bytes, against the kernel.
#include "policy/trim.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "alloc/best_fit.h"
#include "alloc/slab.h"
#include "policy/limit.h"
#include "policy/thread_safe.h"
#include "segment/platform.h"
#include "segment/segment.h"
#include "segment/trim.h"
#include "test/harness.h"
#include "test/policy_fixture.h"

using namespace nautilus;
using nautilus::test::Ground;

TEST("trim: takes exactly the pages that no live byte is on") {
  constexpr uint64_t kCapacity = 1 << 18;
  constexpr uint64_t kPage = 4096;
  Ground<BestFit> ground(kCapacity);
  std::mt19937_64 random(1);
  std::vector<uint64_t> live;
  for (int step = 0; step < 4000; ++step) {
    if (live.empty() || random() % 100 < 51) {
      if (const uint64_t handle = ground.arena.allocate(1 + random() % 9000, 1)) live.push_back(handle);
    } else {
      std::swap(live[random() % live.size()], live.back());
      ground.arena.free(live.back());
      live.pop_back();
    }
    if (step % 20 != 0) continue;
    std::vector<bool> is_taken(kCapacity / kPage);
    for (const uint64_t handle : live) {
      const BlockPlace place = *find_block(ground.arena, handle);
      for (uint64_t page = place.offset / kPage; page <= (place.offset + place.bytes - 1) / kPage; ++page) {
        is_taken[page] = true;
      }
    }
    std::vector<bool> is_kept(kCapacity / kPage, true);
    trim(ground.arena, kPage, 0, [&](std::span<const PageRange> ranges) {
      for (const PageRange range : ranges) {
        EXPECT_EQUAL(range.offset % kPage + range.bytes % kPage, 0U);
        for (uint64_t at = 0; at < range.bytes; at += kPage) is_kept[(range.offset + at) / kPage] = false;
      }
      return TrimOutcome{};
    });
    EXPECT(is_kept == is_taken);
  }
}

TEST("trim: joins ranges that touch, and leaves short stretches alone") {
  const std::vector<FreeRange> ranges{{100, 4096}, {4096, 8200}, {12288, 16384}, {20000, 40960}};
  const auto all = whole_pages(ranges, 4096);
  EXPECT_EQUAL(all.size(), 3U);
  EXPECT_EQUAL(all[0].offset, 4096U);
  EXPECT_EQUAL(all[0].bytes, 4096U);
  EXPECT_EQUAL(all[2].offset, 20480U);
  EXPECT_EQUAL(all[2].bytes, 20480U);
  EXPECT_EQUAL(whole_pages(ranges, 4096, 8192).size(), 1U);
  EXPECT_EQUAL(whole_pages(ranges, 65536).size(), 0U);
}

#ifdef __linux__
namespace {

constexpr uint64_t kSegmentBytes = 8 << 20;

struct Mapped {
  UniqueDescriptor descriptor;
  std::byte* base = nullptr;

  Mapped() : descriptor(::memfd_create("trim-test", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    if (!descriptor.is_open() || ::ftruncate(descriptor.get(), kSegmentBytes) != 0) throw std::bad_alloc();
    base = map(PROT_READ | PROT_WRITE);
  }
  ~Mapped() { ::munmap(base, kSegmentBytes); }
  std::byte* map(int protection) const {
    void* mapped = ::mmap(nullptr, kSegmentBytes, protection, MAP_SHARED, descriptor.get(), 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    return static_cast<std::byte*>(mapped);
  }
};

TrimOutcome trim_segment(Arena& arena, const PageRelease& release) {
  return trim(arena, page_bytes(), 0,
              [&](std::span<const PageRange> ranges) { return release_pages(release, ranges); });
}

void check_real_pages(bool by_descriptor) {
  Mapped segment;
  Ground<BestFit> ground(kSegmentBytes);
  std::mt19937_64 random(2);
  std::vector<std::pair<uint64_t, std::byte>> live;
  while (const uint64_t handle = ground.arena.allocate(1 + random() % 60'000, 1)) {
    const BlockPlace place = *find_block(ground.arena, handle);
    live.emplace_back(handle, static_cast<std::byte>(1 + random() % 255));
    std::memset(segment.base + place.offset, static_cast<int>(live.back().second), place.bytes);
  }
  std::shuffle(live.begin(), live.end(), random);
  for (size_t freed = live.size() / 2; freed > 0; --freed) {
    ground.arena.free(live.back().first);
    live.pop_back();
  }
  uint64_t whole = 0;
  for (const PageRange range : whole_pages(ground.arena.free_ranges(), page_bytes())) whole += range.bytes;
  const uint64_t before = resident_bytes(segment.base, kSegmentBytes);
  EXPECT(before > kSegmentBytes * 9 / 10);
  const PageRelease release{segment.base, by_descriptor ? segment.descriptor.get() : -1};
  const TrimOutcome outcome = trim_segment(ground.arena, release);
  EXPECT(!outcome.reason);
  EXPECT_EQUAL(outcome.asked_bytes, whole);
  // All were written but for the end of the segment, where no block fitted any more.
  EXPECT(outcome.released_bytes > kSegmentBytes / 4);
  EXPECT_EQUAL(before - resident_bytes(segment.base, kSegmentBytes), outcome.released_bytes);
  for (const PageRange range : whole_pages(ground.arena.free_ranges(), page_bytes())) {
    EXPECT_EQUAL(resident_bytes(segment.base + range.offset, range.bytes), 0U);
  }
  for (const auto& [handle, filling] : live) {
    const BlockPlace place = *find_block(ground.arena, handle);
    for (uint64_t at = 0; at < place.bytes; ++at) EXPECT(segment.base[place.offset + at] == filling);
  }
  EXPECT_EQUAL(trim_segment(ground.arena, release).released_bytes, 0U);
  const uint64_t again = ground.arena.allocate(8000, 4096);
  const uint64_t offset = find_block(ground.arena, again)->offset;
  std::memset(segment.base + offset, 5, 8000);
  EXPECT(segment.base[offset + 7999] == std::byte{5});
}

// The reason; what was in memory must still be there, with its bytes.
std::string refused(const Mapped& segment, const PageRelease& release) {
  Ground<BestFit> ground(kSegmentBytes);
  const uint64_t before = resident_bytes(segment.base, kSegmentBytes);
  const TrimOutcome outcome = trim_segment(ground.arena, release);
  EXPECT_EQUAL(outcome.asked_bytes, kSegmentBytes);
  EXPECT_EQUAL(outcome.released_bytes, 0U);
  EXPECT_EQUAL(resident_bytes(segment.base, kSegmentBytes), before);
  EXPECT(segment.base[123] == std::byte{3});
  return outcome.reason.value_or("not refused");
}

void expect_says(const std::string& reason, const std::string& part) {
  if (reason.find(part) == std::string::npos) test::fail(__FILE__, __LINE__, reason + ": does not say " + part);
}

}  // namespace

TEST("trim: pages really leave memory through the mapping, and live blocks keep their bytes") {
  check_real_pages(false);
}
TEST("trim: pages really leave memory through the descriptor, and live blocks keep their bytes") {
  check_real_pages(true);
}

TEST("trim: through policies, with the mutex held") {
  Mapped segment;
  Ground<Slab> ground(kSegmentBytes);
  Limit limit{ground.arena, {}};
  ThreadSafe shared{limit};
  std::memset(segment.base, 1, kSegmentBytes);
  const uint64_t handle = shared.allocate(100'000, 4096);
  const TrimOutcome outcome = shared.locked([&](auto& below) {
    return trim(below, page_bytes(), 65536,
                [&](std::span<const PageRange> ranges) { return release_pages({segment.base}, ranges); });
  });
  EXPECT(!outcome.reason);
  EXPECT_EQUAL(resident_bytes(segment.base, kSegmentBytes), kSegmentBytes - outcome.released_bytes);
  EXPECT(outcome.released_bytes >= kSegmentBytes - 100'000 - 2 * page_bytes());
  EXPECT(segment.base[shared.find(handle)->offset + 99'999] == std::byte{1});
}

TEST("trim: a seal against new writers is told as the reason, by either way") {
  Mapped segment;
  std::memset(segment.base, 3, 1 << 20);
  if (const auto reason = seal_future_writes(segment.descriptor.get())) throw test::Skipped{*reason};
  expect_says(refused(segment, {segment.base}), "sealed against new writers");
  expect_says(refused(segment, {segment.base}), "errno 1)");
  expect_says(refused(segment, {segment.base, segment.descriptor.get()}), "sealed against new writers");
}

TEST("trim: a read-only mapping and a read-only descriptor are told as the reason") {
  Mapped segment;
  std::memset(segment.base, 3, 1 << 20);
  const UniqueDescriptor read_only = reopen_read_only(segment.descriptor.get());
  expect_says(refused(segment, {segment.base, read_only.get()}), "not open for writing");
  void* mapped = ::mmap(nullptr, kSegmentBytes, PROT_READ, MAP_SHARED, read_only.get(), 0);
  EXPECT(mapped != MAP_FAILED);
  expect_says(refused(segment, {static_cast<std::byte*>(mapped)}), "not writable");
  ::munmap(mapped, kSegmentBytes);
}

TEST("trim: storage that was reserved against SIGBUS is only given up when asked") {
  UniqueDescriptor file(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file.is_open()) throw test::Skipped{"no file in /dev/shm: " + std::to_string(errno)};
  if (!is_storage_limited(file.get())) throw test::Skipped{"/dev/shm has no limit here"};
  Mapped segment;
  std::swap(segment.descriptor, file);
  EXPECT(::ftruncate(segment.descriptor.get(), kSegmentBytes) == 0);
  reserve_storage(segment.descriptor.get(), kSegmentBytes, "test");
  ::munmap(segment.base, kSegmentBytes);
  segment.base = segment.map(PROT_READ | PROT_WRITE);
  std::memset(segment.base, 3, 1 << 20);
  expect_says(refused(segment, {segment.base, segment.descriptor.get()}), "SIGBUS");
  Ground<BestFit> ground(kSegmentBytes);
  const TrimOutcome outcome = trim_segment(ground.arena, {segment.base, segment.descriptor.get(), true});
  EXPECT(!outcome.reason);
  EXPECT_EQUAL(resident_bytes(segment.base, kSegmentBytes), 0U);
  EXPECT_EQUAL(outcome.released_bytes, kSegmentBytes);
}
#endif
