// How a process that sleeps is woken by another that has a descriptor of it. A pair of unnamed datagram sockets and no
// eventfd or pipe: those share O_NONBLOCK with everyone who holds them, so that a hostile sleeper could fill one, clear
// the flag and stop its waker for ever, while a send on a socket is non-blocking by the call.
#pragma once

#include "os/unique_descriptor.h"

namespace nautilus {

struct WakePair {
  UniqueDescriptor sleeper;
  // Handed to whoever may wake.
  UniqueDescriptor waker;
};

WakePair create_wake();
// Whether a descriptor that somebody handed over can wake and nothing else.
bool is_wake(int fd) noexcept;
// Never blocks. False when the sleeper is gone; a queue that is full wakes as well.
bool signal_wake(int waker) noexcept;
// Takes signals off the queue, so that it is not readable, and whatever descriptors came with them; a bounded number, so that a flood holds nobody here.
void drain_wake(int sleeper) noexcept;
// The waker sees it at once; what may lie unread in it is closed without a wait.
void close_wake(UniqueDescriptor sleeper) noexcept;

}  // namespace nautilus
