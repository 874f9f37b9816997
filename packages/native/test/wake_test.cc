// Waking: signals arrive, other descriptors are refused, and whoever holds an end cannot make the other side wait.
#include "os/wake.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/harness.h"

using namespace nautilus;

namespace {

bool is_readable(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

// What a hostile holder of an end may do with it: the flag is shared.
void make_blocking(int fd) { EXPECT(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0); }

}  // namespace

TEST("wake: a signal is readable until it is drained, and so is the next") {
  const WakePair wake = create_wake();
  EXPECT(!is_readable(wake.sleeper.get()));
  for (int round = 0; round < 3; ++round) {
    EXPECT(signal_wake(wake.waker.get()));
    EXPECT(signal_wake(wake.waker.get()));
    EXPECT(is_readable(wake.sleeper.get()));
    drain_wake(wake.sleeper.get());
    EXPECT(!is_readable(wake.sleeper.get()));
  }
}

TEST("wake: neither a full queue nor an empty one stops anybody, also when the other side made the sockets blocking") {
  const WakePair wake = create_wake();
  make_blocking(wake.sleeper.get());
  make_blocking(wake.waker.get());
  // A watchdog ends the process if one of these waits.
  ::alarm(20);
  for (int signals = 0; signals < 100'000; ++signals) EXPECT(signal_wake(wake.waker.get()));
  while (is_readable(wake.sleeper.get())) drain_wake(wake.sleeper.get());
  drain_wake(wake.sleeper.get());
  ::alarm(0);
}

TEST("wake: a sleeper that is gone is told from one that is slow") {
  WakePair wake = create_wake();
  wake.sleeper.reset();
  EXPECT(!signal_wake(wake.waker.get()));
}

TEST("wake: what is not one end of an unnamed pair of datagram sockets is refused") {
  const WakePair wake = create_wake();
  EXPECT(is_wake(wake.waker.get()));
  int ends[2] = {-1, -1};
  EXPECT(::pipe(ends) == 0);
  const UniqueDescriptor reading(ends[0]);
  const UniqueDescriptor writing(ends[1]);
  EXPECT(!is_wake(writing.get()));
  EXPECT(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const UniqueDescriptor one(ends[0]);
  const UniqueDescriptor other(ends[1]);
  EXPECT(!is_wake(one.get()));
  const UniqueDescriptor alone(::socket(AF_UNIX, SOCK_DGRAM, 0));
  EXPECT(!is_wake(alone.get()));
  const UniqueDescriptor internet(::socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT(!is_wake(internet.get()));
  EXPECT(!is_wake(-1));
}
