// Sockets that wake, on Linux.
#include <sys/socket.h>

#include <cerrno>

#include "os/failure.h"
#include "os/wake_platform.h"

namespace nautilus {
namespace {

// SO_PASSRIGHTS of asm-generic/socket.h, since Linux 6.16; headers in use are older.
constexpr int kPassRights = 83;

}  // namespace

WakePair create_datagram_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    throw system_failure("socketpair", errno, "wake");
  }
  return {UniqueDescriptor(ends[0]), UniqueDescriptor(ends[1])};
}

int wake_send_flags() noexcept { return MSG_DONTWAIT | MSG_NOSIGNAL; }

int wake_receive_flags() noexcept { return MSG_DONTWAIT | MSG_CMSG_CLOEXEC; }

void refuse_descriptors(int sleeper) noexcept {
  // Older kernels answer ENOPROTOOPT, and descriptors are received and closed by drain_wake.
  const int off = 0;
  ::setsockopt(sleeper, SOL_SOCKET, kPassRights, &off, sizeof off);
}

}  // namespace nautilus
