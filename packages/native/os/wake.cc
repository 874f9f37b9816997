// The part of waking that all systems share.
#include "os/wake.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "os/wake_platform.h"

namespace nautilus {
namespace {

// More than a queue of datagrams holds by default (net.unix.max_dgram_qlen is 10).
constexpr int kSignalsAtOnce = 64;

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

}  // namespace

WakePair create_wake() { return create_datagram_pair(); }

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
  for (int signals = 0; signals < kSignalsAtOnce; ++signals) {
    if (::recv(sleeper, &signal, sizeof signal, MSG_DONTWAIT) < 0) return;
  }
}

}  // namespace nautilus
