// Unix sockets on Linux.
#include "ipc/platform.h"

#include <cerrno>

#include "os/failure.h"

namespace nautilus {

UniqueDescriptor create_stream_socket() {
  UniqueDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) throw system_failure("socket", errno, "unix socket");
  return socket;
}

UniqueDescriptor accept_stream_socket(int listener) {
  return UniqueDescriptor(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

ssize_t receive_message(int socket, msghdr* message) { return ::recvmsg(socket, message, MSG_CMSG_CLOEXEC); }

ssize_t send_message(int socket, const msghdr* message) { return ::sendmsg(socket, message, MSG_NOSIGNAL); }

Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    throw system_failure("getsockopt(SO_PEERCRED)", errno, "unix socket");
  }
  return {credentials.uid, credentials.gid, credentials.pid};
}

}  // namespace nautilus
