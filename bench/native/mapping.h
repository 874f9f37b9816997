// Memory that is mapped and lazily filled: the segments and ledgers of the workloads, as a pool would have them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace nautilus::bench {

class Mapping {
 public:
  // A new object of shared memory, inherited by programs that this one starts.
  static Mapping shared(uint64_t bytes) {
#if defined(__linux__)
    const int descriptor = memfd_create("nautilus-bench", 0);
#else
    const std::string name = "/nautilus-bench-" + std::to_string(getpid());
    const int descriptor = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor >= 0) {
      shm_unlink(name.c_str());
      fcntl(descriptor, F_SETFD, 0);
    }
#endif
    if (descriptor < 0) fail("creating shared memory");
    if (ftruncate(descriptor, static_cast<off_t>(bytes)) != 0) fail("sizing shared memory");
    return {descriptor, bytes, MAP_SHARED};
  }
  // Takes the descriptor.
  static Mapping of(int descriptor, uint64_t bytes) { return {descriptor, bytes, MAP_SHARED}; }
  static Mapping anonymous(uint64_t bytes) { return {-1, bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE}; }

  Mapping(Mapping&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        base_(std::exchange(other.base_, nullptr)),
        bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (base_ != nullptr) munmap(base_, bytes_);
    if (descriptor_ >= 0) close(descriptor_);
  }

  int descriptor() const noexcept { return descriptor_; }
  std::byte* base() const noexcept { return base_; }
  uint64_t bytes() const noexcept { return bytes_; }

 private:
  Mapping(int descriptor, uint64_t bytes, int flags) : descriptor_(descriptor), bytes_(bytes) {
    void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    if (at == MAP_FAILED) fail("mapping memory");
    base_ = static_cast<std::byte*>(at);
  }
  [[noreturn]] static void fail(const char* doing) { throw std::system_error(errno, std::generic_category(), doing); }

  int descriptor_ = -1;
  std::byte* base_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace nautilus::bench
