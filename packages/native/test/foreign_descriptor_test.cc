// Closing what a hostile peer handed over: a TCP socket with SO_LINGER and unsent data makes its last close wait, and
// none of our threads that have something to do may be the one that waits.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "ipc/frame_stream.h"
#include "os/wake.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

constexpr int kLingerSeconds = 3;
constexpr int64_t kMostMs = 500;

// The peer never reads, and `lingering` is full of what it did not take.
struct Lingering {
  Lingering() {
    const UniqueDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener.get(), name, sizeof address) != 0) throw test::Skipped{"no loopback network to linger on"};
    EXPECT_EQUAL(::listen(listener.get(), 1), 0);
    EXPECT_EQUAL(::getsockname(listener.get(), name, &length), 0);
    lingering = UniqueDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQUAL(::connect(lingering.get(), name, sizeof address), 0);
    peer = UniqueDescriptor(::accept(listener.get(), nullptr, nullptr));
    EXPECT(peer.is_open());
    const std::array<char, 65536> bytes{};
    while (::send(lingering.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    const linger wait{1, kLingerSeconds};
    EXPECT_EQUAL(::setsockopt(lingering.get(), SOL_SOCKET, SO_LINGER, &wait, sizeof wait), 0);
  }
  // The peer's end ends the lingering. Other tests count descriptors: the threads that close get the time to.
  ~Lingering() {
    peer.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  UniqueDescriptor peer;
  UniqueDescriptor lingering;
};

// Sent and gone here, so that the receiver has the last of it. False when the kernel refused.
bool pass(int socket, const std::string& bytes, UniqueDescriptor descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = descriptor.get();
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  const bool is_sent = ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  // Refused, it is not to wait here either.
  if (!is_sent) close_elsewhere(descriptor.release());
  return is_sent;
}

template <typename Action>
int64_t ms_of(Action action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

const std::string kFrameWithOne("\1\0\0\0\1\0\0\0a", 9);
const std::string kFrameWithNone("\1\0\0\0\0\0\0\0a", 9);

std::pair<UniqueDescriptor, std::optional<FrameStream>> stream_pair() {
  int ends[2];
  EXPECT_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  return {UniqueDescriptor(ends[0]), std::optional<FrameStream>(std::in_place, UniqueDescriptor(ends[1]), 4096)};
}

}  // namespace

TEST("foreign descriptors: a socket that lingers makes a plain close wait, so that the tests below can fail") {
  Lingering pair;
  EXPECT(ms_of([&] { pair.lingering.reset(); }) > kMostMs);
}

TEST("foreign descriptors: closing one elsewhere waits for nothing, and closes") {
  Lingering pair;
  const int fd = pair.lingering.get();
  EXPECT(ms_of([&] { close_elsewhere(pair.lingering.release()); }) < kMostMs);
  bool is_closed = false;
  for (int looks = 0; looks < 400 && !is_closed; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    is_closed = ::fcntl(fd, F_GETFD) < 0;
  }
  EXPECT(is_closed);
}

TEST("foreign descriptors: neither a frame's, nor one that none announced, nor one never read holds up a stream") {
  for (const bool is_announced : {true, false}) {
    Lingering pair;
    auto [raw, stream] = stream_pair();
    EXPECT(pass(raw.get(), is_announced ? kFrameWithOne : kFrameWithNone, std::move(pair.lingering)));
    EXPECT(ms_of([&] {
             const ReadOutcome outcome = stream->read();
             EXPECT_EQUAL(outcome.fault.has_value(), !is_announced);
           }) < kMostMs);
    EXPECT(ms_of([&] { stream.reset(); }) < kMostMs);
  }
  Lingering pair;
  auto [raw, stream] = stream_pair();
  EXPECT(pass(raw.get(), kFrameWithOne, std::move(pair.lingering)));
  EXPECT(ms_of([&] { stream.reset(); }) < kMostMs);
}

TEST("foreign descriptors: a wake refuses them, or receives and closes them elsewhere") {
  Lingering pair;
  const WakePair wake = create_wake();
  pass(wake.waker.get(), "s", std::move(pair.lingering));
  EXPECT(ms_of([&] { drain_wake(wake.sleeper.get()); }) < kMostMs);
}

#ifdef __linux__
TEST("foreign descriptors: a wake on a kernel that cannot refuse them drains and closes without a wait") {
  const int on = 1;
  // SO_PASSRIGHTS; a kernel without it is one that cannot refuse.
  const auto allow = [&](const WakePair& wake) { ::setsockopt(wake.sleeper.get(), SOL_SOCKET, 83, &on, sizeof on); };
  Lingering drained;
  const WakePair wake = create_wake();
  allow(wake);
  EXPECT(pass(wake.waker.get(), "s", std::move(drained.lingering)));
  EXPECT(ms_of([&] { drain_wake(wake.sleeper.get()); }) < kMostMs);
  Lingering unread;
  WakePair closing = create_wake();
  allow(closing);
  EXPECT(pass(closing.waker.get(), "s", std::move(unread.lingering)));
  EXPECT(ms_of([&] { close_wake(std::move(closing.sleeper)); }) < kMostMs);
  EXPECT(!signal_wake(closing.waker.get()));
}
#endif
