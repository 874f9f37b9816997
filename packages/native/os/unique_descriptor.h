// Owner of one file descriptor in C++: closed exactly once, on every path, errors included.
#pragma once

#include <unistd.h>

#include <utility>

namespace nautilus {

// Not retried on EINTR: Linux has released the number by then and another thread may have it already.
inline void close_here(int fd) noexcept { ::close(fd); }
// For what somebody else made, and for sockets in which descriptors may lie unread: the last close of a socket with
// SO_LINGER waits for its peer, so sockets are closed on a thread of their own and only there somebody waits.
void close_elsewhere(int fd) noexcept;

template <void (*kClose)(int) noexcept>
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int fd) noexcept : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedDescriptor() {
    if (fd_ >= 0) kClose(fd_);
  }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept { OwnedDescriptor().swap(*this); }
  void swap(OwnedDescriptor& other) noexcept { std::swap(fd_, other.fd_); }

 private:
  int fd_ = -1;
};

using UniqueDescriptor = OwnedDescriptor<close_here>;
// One that came from another process.
using ForeignDescriptor = OwnedDescriptor<close_elsewhere>;

}  // namespace nautilus
