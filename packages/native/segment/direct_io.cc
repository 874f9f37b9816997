// The pattern differs from word to word and the second half begins as its complement, so that neither a block that was
// read from elsewhere nor one that was not read at all passes for the right one.
#include "segment/direct_io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "os/failure.h"
#include "os/unique_descriptor.h"
#include "segment/mapped_region.h"
#include "segment/platform.h"
#include "segment/segment.h"

namespace nautilus {
namespace {

std::byte pattern(size_t at) noexcept {
  // The finishing steps of SplitMix64.
  uint64_t word = (at / 8 + 1) * 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return static_cast<std::byte>((word ^ (word >> 31)) >> (at % 8 * 8));
}

std::string failed(const char* what, int error_number) {
  return std::string(what) + " failed: " + describe_errno(error_number);
}

// Nothing when all bytes went over.
template <typename Transfer>
std::optional<std::string> transfer_all(const char* what, size_t bytes, Transfer transfer) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t moved = transfer(done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return failed(what, errno);
    if (moved == 0) {
      return std::string(what) + " ended after " + std::to_string(done) + " of " + std::to_string(bytes) + " bytes";
    }
    done += static_cast<size_t>(moved);
  }
  return std::nullopt;
}

struct NewFile {
  UniqueDescriptor descriptor;
  std::string path;

  explicit NewFile(const std::string& directory) : path(directory + "/nautilus-direct-XXXXXX") {
    descriptor = UniqueDescriptor(::mkostemp(path.data(), O_CLOEXEC));
    if (!descriptor.is_open()) throw system_failure("mkostemp", errno, "proof of direct I/O in " + directory);
  }
  ~NewFile() { ::unlink(path.c_str()); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
};

// The smallest that is taken; 0 and `why` when none is.
uint64_t find_block(int fd, std::span<std::byte> scratch, std::string& why) {
  why = "the buffer of " + std::to_string(scratch.size()) + " bytes is shorter than any block";
  for (const uint64_t block : {uint64_t{512}, uint64_t{4096}, page_bytes()}) {
    if (block > scratch.size()) break;
    // Not at 0, so that the offset is tried as well.
    if (::pwrite(fd, scratch.data(), block, static_cast<off_t>(block)) == static_cast<ssize_t>(block)) return block;
    why = failed("a direct write", errno);
    if (errno != EINVAL) return 0;
  }
  return 0;
}

uint64_t cached_bytes(int fd, size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) throw system_failure("mmap", errno, "proof of direct I/O: looking at the page cache");
  const MappedRegion region(static_cast<std::byte*>(mapped), bytes, false);
  return resident_bytes(region.base(), bytes);
}

std::optional<std::string> write_and_read_back(int fd, std::span<std::byte> from, std::span<std::byte> to) {
  for (size_t at = 0; at < from.size(); ++at) {
    from[at] = pattern(at);
    to[at] = ~from[at];
  }
  if (::ftruncate(fd, 0) != 0) return failed("ftruncate", errno);
  auto reason = transfer_all("a direct write", from.size(), [&](size_t done) {
    return ::pwrite(fd, from.data() + done, from.size() - done, static_cast<off_t>(done));
  });
  if (reason) return reason;
  if (::fsync(fd) != 0) return failed("fsync", errno);
  reason = transfer_all("a direct read", to.size(), [&](size_t done) {
    return ::pread(fd, to.data() + done, to.size() - done, static_cast<off_t>(done));
  });
  if (reason) return reason;
  if (std::memcmp(from.data(), to.data(), from.size()) != 0) return "other bytes were read than had been written";
  if (const uint64_t cached = cached_bytes(fd, from.size()); cached > 0) {
    return "the file system takes direct transfers and copies them all the same: " + std::to_string(cached) + " of " +
           std::to_string(from.size()) + " bytes lie in its page cache; choose a directory on a disk";
  }
  return std::nullopt;
}

struct ZeroAtEnd {
  std::span<std::byte> memory;
  ~ZeroAtEnd() { std::fill(memory.begin(), memory.end(), std::byte{0}); }
};

void prove(DirectIoProof& proof, int fd, std::span<std::byte> scratch) {
  if ((proof.reason = set_direct(fd))) return;
  const std::optional<DirectIoUnit> unit = direct_io_unit(fd);
  proof.block_is_told = unit.has_value();
  std::string why = "the kernel says that this file takes no direct transfers";
  proof.block_bytes = unit ? unit->block_bytes : find_block(fd, scratch, why);
  if (proof.block_bytes == 0) {
    proof.reason = why;
    return;
  }
  const uint64_t memory_bytes = unit ? unit->memory_bytes : proof.block_bytes;
  if (reinterpret_cast<uintptr_t>(scratch.data()) % memory_bytes != 0) {
    proof.reason = "the buffer does not begin at a multiple of " + std::to_string(memory_bytes) + " bytes";
    return;
  }
  const size_t half = scratch.size() / 2 / proof.block_bytes * proof.block_bytes;
  if (half == 0) {
    proof.reason = "two blocks of " + std::to_string(proof.block_bytes) + " bytes are needed, the buffer has " +
                   std::to_string(scratch.size()) + " bytes";
    return;
  }
  proof.reason = write_and_read_back(fd, scratch.first(half), scratch.subspan(half, half));
}

}  // namespace

DirectIoProof prove_direct_io(std::span<std::byte> scratch, const std::string& directory) {
  const NewFile file(directory);
  const ZeroAtEnd zero{scratch};
  DirectIoProof proof;
  proof.via_file = file.path;
  prove(proof, file.descriptor.get(), scratch);
  return proof;
}

}  // namespace nautilus
