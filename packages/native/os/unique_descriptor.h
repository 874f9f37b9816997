// Owner of one file descriptor in C++: closed exactly once, on every path, errors included.
#pragma once

#include <unistd.h>

#include <utility>

namespace nautilus {

class UniqueDescriptor {
 public:
  UniqueDescriptor() = default;
  explicit UniqueDescriptor(int fd) noexcept : fd_(fd) {}
  UniqueDescriptor(UniqueDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueDescriptor& operator=(UniqueDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  // Not retried on EINTR: Linux has released the number by then and another thread may have it already.
  ~UniqueDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept { UniqueDescriptor().swap(*this); }
  void swap(UniqueDescriptor& other) noexcept { std::swap(fd_, other.fd_); }

 private:
  int fd_ = -1;
};

}  // namespace nautilus
