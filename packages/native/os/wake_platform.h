// What systems do differently about the sockets that wake; implemented in linux/ and macos/.
#pragma once

#include "os/wake.h"

namespace nautilus {

// Datagram sockets, close-on-exec from their first moment as far as the system can.
WakePair create_datagram_pair();
// The flags of a send that neither waits nor raises SIGPIPE.
int wake_send_flags() noexcept;

}  // namespace nautilus
