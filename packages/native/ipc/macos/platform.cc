// No Mac has run this yet. Unix sockets on macOS: flags are set after the fact, so a fork in between may leak a
// descriptor into a child; SIGPIPE is off per socket.
#include "ipc/platform.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/failure.h"

namespace nautilus {
namespace {

void prepare(int socket) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

}  // namespace

UniqueDescriptor create_stream_socket() {
  UniqueDescriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  if (!socket.is_open()) throw system_failure("socket", errno, "unix socket");
  prepare(socket.get());
  return socket;
}

UniqueDescriptor accept_stream_socket(int listener) {
  UniqueDescriptor socket(::accept(listener, nullptr, nullptr));
  if (socket.is_open()) prepare(socket.get());
  return socket;
}

ssize_t receive_message(int socket, msghdr* message) {
  const ssize_t received = ::recvmsg(socket, message, 0);
  if (received < 0) return received;
  for (cmsghdr* part = CMSG_FIRSTHDR(message); part != nullptr; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; ++index) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
  return received;
}

ssize_t send_message(int socket, const msghdr* message) { return ::sendmsg(socket, message, 0); }

Peer peer_of(int socket) {
  uid_t uid = 0;
  gid_t gid = 0;
  if (::getpeereid(socket, &uid, &gid) != 0) throw system_failure("getpeereid", errno, "unix socket");
  pid_t pid = 0;
  socklen_t length = sizeof pid;
  if (::getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &pid, &length) != 0) {
    throw system_failure("getsockopt(LOCAL_PEERPID)", errno, "unix socket");
  }
  return {uid, gid, pid};
}

}  // namespace nautilus
