// What systems do differently about the sockets that wake; implemented in linux/ and macos/.
#pragma once

#include "os/wake.h"

namespace nautilus {

// Datagram sockets, close-on-exec from their first moment as far as the system can.
WakePair create_datagram_pair();
// The flags of a send that neither waits nor raises SIGPIPE.
int wake_send_flags() noexcept;
// The flags of a receive that does not wait; descriptors that come are close-on-exec as far as the system can.
int wake_receive_flags() noexcept;
// Signals need no descriptors: has the kernel refuse them, where it knows how to.
void refuse_descriptors(int sleeper) noexcept;

}  // namespace nautilus
