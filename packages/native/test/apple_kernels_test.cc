// The kernels of the Metal device, compiled as C++ and run thread by thread against a bytewise model. It proves their
// arithmetic; Metal's compiler and a GPU have not seen them.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "device/apple/checksum_plan.h"
#include "device/crc32c.h"
#include "test/harness.h"

namespace {

using uchar = uint8_t;
using uint = uint32_t;
using ulong = uint64_t;
struct [[gnu::may_alias]] alignas(16) uint4 {
  uint4(uint a, uint b, uint c, uint d) : words{a, b, c, d} {}
  uint words[4];
};

#define NAUTILUS_KERNELS(...) __VA_ARGS__
#define NAUTILUS_BUFFER(number)
#define NAUTILUS_THREAD
#define kernel
#define device
#define constant const
// clang-format off
#include "device/metal/kernels.metal.h"
// clang-format on
#undef kernel
#undef device
#undef constant

constexpr uint64_t kLength = 700;

// As Metal aligns buffers. Exactly as long as it says, so that the sanitizer sees a byte too far.
struct Memory {
  explicit Memory(std::mt19937_64& random) : bytes(static_cast<uint8_t*>(std::aligned_alloc(16, kAligned))) {
    std::generate(bytes, bytes + kAligned, [&] { return static_cast<uint8_t>(random()); });
  }
  ~Memory() { std::free(bytes); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  static constexpr uint64_t kAligned = (kLength + 15) / 16 * 16;
  uint8_t* bytes;
};

// As encode.mm dispatches: threads for 16-byte granules, in whole groups of 256, in any order.
template <typename Kernel>
void run(std::mt19937_64& random, uint64_t offset, uint64_t bytes, Kernel call) {
  const uint64_t threads = (offset % 16 + bytes + 15) / 16;
  std::vector<uint32_t> numbers((threads + 255) / 256 * 256);
  for (size_t at = 0; at < numbers.size(); ++at) numbers[at] = static_cast<uint32_t>(at);
  std::shuffle(numbers.begin(), numbers.end(), random);
  for (uint32_t number : numbers) call(number);
}

}  // namespace

TEST("metal kernels: a fill writes its range and nothing else") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    Memory memory(random);
    const uint64_t offset = random() % kLength;
    const uint64_t bytes = random() % (kLength - offset + 1);
    const auto value = static_cast<uint8_t>(random());
    std::vector<uint8_t> expected(memory.bytes, memory.bytes + Memory::kAligned);
    std::fill_n(expected.begin() + static_cast<ptrdiff_t>(offset), bytes, value);
    const FillCall call{offset, bytes, value, 0};
    run(random, offset, bytes, [&](uint32_t thread) { nautilus_fill(memory.bytes, call, thread); });
    EXPECT(std::equal(expected.begin(), expected.end(), memory.bytes));
  }
}

TEST("metal kernels: a copy between any two offsets copies its range and nothing else") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 3000; ++round) {
    Memory target(random);
    Memory source(random);
    const uint64_t bytes = random() % (kLength + 1);
    const uint64_t to = random() % (kLength - bytes + 1);
    // Half of them lie alike, which is where 16 bytes go at once.
    const uint64_t from = round % 2 == 0 ? to : random() % (kLength - bytes + 1);
    std::vector<uint8_t> expected(target.bytes, target.bytes + Memory::kAligned);
    std::copy_n(source.bytes + from, bytes, expected.begin() + static_cast<ptrdiff_t>(to));
    const CopyCall call{to, from, bytes};
    run(random, to, bytes, [&](uint32_t thread) { nautilus_copy(target.bytes, call, source.bytes, thread); });
    EXPECT(std::equal(expected.begin(), expected.end(), target.bytes));
  }
}

TEST("metal kernels: checksums of chunks, joined, are the host's checksum, over views too") {
  std::mt19937_64 random(3);
  constexpr uint64_t kPage = 4096;
  constexpr uint64_t kBytes = 300'000;
  std::vector<uint8_t> memory(kBytes);
  std::generate(memory.begin(), memory.end(), [&] { return static_cast<uint8_t>(random()); });
  for (uint64_t longest : {kBytes, 8 * kPage}) {
    const nautilus::Views views(kBytes, longest, kPage);
    for (int round = 0; round < 60; ++round) {
      const uint64_t offset = random() % kBytes;
      const uint64_t bytes = round == 0 ? 0 : random() % (kBytes - offset + 1);
      const auto plan = nautilus::plan_checksum(views, offset, bytes);
      EXPECT(plan.chunks <= nautilus::kMostChunks);
      std::vector<uint32_t> checksums(plan.chunks);
      for (const auto& run_of : plan.runs) {
        const uint64_t view = views.holding(run_of.offset);
        const uint64_t first = views.at(view).first;
        EXPECT(run_of.offset - first + run_of.bytes <= views.at(view).bytes);
        const ChecksumCall call{run_of.offset - first, run_of.bytes, plan.chunk_bytes, run_of.first_chunk, 0};
        for (uint32_t thread = 0; thread < run_of.chunks + 100; ++thread) {
          nautilus_checksum(checksums.data(), call, memory.data() + first, thread);
        }
      }
      EXPECT_EQUAL(nautilus::join_chunks(plan, checksums),
                   nautilus::crc32c(std::as_bytes(std::span(memory).subspan(offset, bytes))));
    }
  }
}

TEST("metal kernels: a checksum of 1 TiB needs no more chunks than there is room for") {
  const uint64_t bytes = uint64_t{1} << 40;
  const auto plan = nautilus::plan_checksum(nautilus::Views(bytes, uint64_t{1} << 34, 16384), 3, bytes - 3);
  EXPECT(plan.chunks <= nautilus::kMostChunks);
}
