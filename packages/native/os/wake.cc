// The part of waking that all systems share.
#include "os/wake.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/wake_platform.h"

namespace nautilus {
namespace {

// More than a queue of datagrams holds by default (net.unix.max_dgram_qlen is 10).
constexpr int kSignalsAtOnce = 64;
// The most that one message carries on Linux (SCM_MAX_FD). What does not fit is closed by the kernel, on this thread.
constexpr size_t kMaxMessageDescriptors = 253;

using NameOf = int (*)(int, sockaddr*, socklen_t*);

// A socket bound to a path, or connected to one, talks to a server; that is no wake.
bool is_unnamed(int fd, NameOf name_of) noexcept {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (name_of(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  if (address.sun_family != AF_UNIX) return false;
  const auto* begin = reinterpret_cast<const char*>(&address);
  return std::all_of(begin + offsetof(sockaddr_un, sun_path), begin + sizeof address, [](char byte) { return byte == 0; });
}

void close_descriptors(msghdr& message) noexcept {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; ++index) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
      close_elsewhere(fd);
    }
  }
}

}  // namespace

WakePair create_wake() {
  WakePair pair = create_datagram_pair();
  refuse_descriptors(pair.sleeper.get());
  return pair;
}

bool is_wake(int fd) noexcept {
  int type = 0;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_DGRAM) return false;
  return is_unnamed(fd, ::getsockname) && is_unnamed(fd, ::getpeername);
}

bool signal_wake(int waker) noexcept {
  const char signal = 1;
  ssize_t sent = 0;
  do {
    sent = ::send(waker, &signal, sizeof signal, wake_send_flags());
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
}

void drain_wake(int sleeper) noexcept {
  char signal = 0;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * kMaxMessageDescriptors)> control;
  for (int signals = 0; signals < kSignalsAtOnce; ++signals) {
    iovec part{&signal, sizeof signal};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(sleeper, &message, wake_receive_flags()) < 0) return;
    close_descriptors(message);
  }
}

void close_wake(UniqueDescriptor sleeper) noexcept {
  if (!sleeper.is_open()) return;
  ::shutdown(sleeper.get(), SHUT_RDWR);
  close_elsewhere(sleeper.release());
}

}  // namespace nautilus
