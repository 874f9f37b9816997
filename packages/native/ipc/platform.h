// What systems do differently about Unix sockets; implemented in linux/ and macos/.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>

#include "os/unique_descriptor.h"

namespace nautilus {

struct Peer {
  uint64_t uid = 0;
  uint64_t gid = 0;
  int64_t pid = 0;
};

// All descriptors are close-on-exec and non-blocking from their first moment, as far as the system can.
UniqueDescriptor create_stream_socket();
UniqueDescriptor accept_stream_socket(int listener);
ssize_t receive_message(int socket, msghdr* message);
ssize_t send_message(int socket, const msghdr* message);

// Who the kernel says is on the other side, at the time of connecting.
Peer peer_of(int socket);

}  // namespace nautilus
