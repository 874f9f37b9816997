// Sockets that wake, on Linux.
#include <sys/socket.h>

#include <cerrno>

#include "os/failure.h"
#include "os/wake_platform.h"

namespace nautilus {

WakePair create_datagram_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    throw system_failure("socketpair", errno, "wake");
  }
  return {UniqueDescriptor(ends[0]), UniqueDescriptor(ends[1])};
}

int wake_send_flags() noexcept { return MSG_DONTWAIT | MSG_NOSIGNAL; }

}  // namespace nautilus
