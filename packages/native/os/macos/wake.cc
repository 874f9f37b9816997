// No Mac has run this yet. Sockets that wake, on macOS: flags are set after the fact, so a fork in between may leak a
// descriptor into a child; SIGPIPE is off per socket.
#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/failure.h"
#include "os/wake_platform.h"

namespace nautilus {

WakePair create_datagram_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) throw system_failure("socketpair", errno, "wake");
  const int on = 1;
  for (const int end : ends) {
    ::setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, ::fcntl(end, F_GETFL) | O_NONBLOCK);
  }
  return {UniqueDescriptor(ends[0]), UniqueDescriptor(ends[1])};
}

int wake_send_flags() noexcept { return MSG_DONTWAIT; }

int wake_receive_flags() noexcept { return MSG_DONTWAIT; }

// There is no such option.
void refuse_descriptors(int) noexcept {}

}  // namespace nautilus
