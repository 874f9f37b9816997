// Two ends of a socket pair: what arrives is what was sent, and no descriptor outlives a fault.
#include "ipc/frame_stream.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "os/failure.h"
#include "test/harness.h"

using namespace nautilus;

namespace {

struct Pair {
  explicit Pair(uint32_t max_frame_bytes = 65536) {
    int fds[2];
    EXPECT_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    raw = UniqueDescriptor(fds[0]);
    stream.emplace(UniqueDescriptor(fds[1]), max_frame_bytes);
  }
  void write_raw(const std::string& bytes, const std::vector<int>& descriptors = {}) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 64)> control{};
    if (!descriptors.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
      cmsghdr* rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
      std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof(int) * descriptors.size());
    }
    EXPECT_EQUAL(::sendmsg(raw.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  UniqueDescriptor raw;
  std::optional<FrameStream> stream;
};

std::string header(uint32_t bytes, char descriptors, char padding = 0) {
  std::string text;
  for (int at = 0; at < 4; ++at) text.push_back(static_cast<char>(bytes >> (8 * at)));
  text.push_back(descriptors);
  text.append({padding, 0, 0});
  return text;
}

size_t open_descriptors() {
  size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) throw test::Skipped{"no /proc/self/fd to count descriptors in"};
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

void expect_fault(const std::string& bytes, const std::vector<int>& descriptors, const char* words) {
  // What came before this closes its sockets on threads.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const size_t before = open_descriptors();
  {
    Pair pair(1024);
    pair.write_raw(bytes, descriptors);
    const ReadOutcome outcome = pair.stream->read();
    EXPECT(outcome.fault.has_value());
    if (outcome.fault->find(words) == std::string::npos) test::fail(__FILE__, __LINE__, *outcome.fault);
  }
  // Sockets are closed on threads of their own, soon.
  for (int looks = 0; looks < 400 && open_descriptors() != before; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQUAL(open_descriptors(), before);
}

}  // namespace

TEST("frames: come byte by byte and still come whole, with their descriptors") {
  Pair pair;
  const std::string bytes = header(3, 1) + "abc" + header(0, 0) + header(2, 2) + "de";
  size_t frames = 0;
  std::vector<size_t> descriptors;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::vector<int> sent;
    if (at == 0) sent = {0};
    if (at == 19) sent = {0, 1};
    pair.write_raw(bytes.substr(at, 1), sent);
    for (const Frame& frame : pair.stream->read().frames) {
      ++frames;
      descriptors.push_back(frame.descriptors.size());
    }
  }
  EXPECT_EQUAL(frames, 3u);
  EXPECT(descriptors == std::vector<size_t>({1, 0, 2}));
}

TEST("frames: three at once with descriptors keep them apart") {
  Pair pair;
  pair.write_raw(header(1, 0) + "a");
  pair.write_raw(header(1, 2) + "b", {0, 1});
  pair.write_raw(header(1, 1) + "c", {0});
  const ReadOutcome outcome = pair.stream->read();
  EXPECT(!outcome.fault.has_value());
  EXPECT_EQUAL(outcome.frames.size(), 3u);
  EXPECT_EQUAL(outcome.frames[0].descriptors.size(), 0u);
  EXPECT_EQUAL(outcome.frames[1].descriptors.size(), 2u);
  EXPECT_EQUAL(outcome.frames[2].descriptors.size(), 1u);
}

TEST("frames: what is no frame is a fault, and its descriptors are closed") {
  expect_fault(header(1025, 0), {}, "at most 1024");
  expect_fault(header(UINT32_MAX, 0), {0}, "at most 1024");
  expect_fault(header(1, 0, 1) + "a", {0, 1}, "padding");
  expect_fault(header(1, 17) + "a", {0}, "17 descriptors");
  expect_fault(header(1, 2) + "a", {0}, "announced 2 descriptors, 1 came");
  expect_fault(header(1, 1) + "a", {0, 1}, "no frame announced");
  expect_fault(header(1, 0) + "a", {0}, "no frame announced");
  expect_fault(header(4, 1) + "a", {0, 0, 0}, "no frame announced");
  expect_fault(header(1, 16) + "a", std::vector<int>(40, 0), "40 descriptors at once");
}

TEST("frames: a peer that does not read fills the queue, then gets backpressure, then everything in order") {
  Pair pair;
  FrameStream reader(std::move(pair.raw), 65536);
  std::vector<std::byte> payload(65536);
  const UniqueDescriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = null_device.get();
  size_t sent = 0;
  try {
    for (; sent < 1000; ++sent) {
      payload[0] = static_cast<std::byte>(sent);
      pair.stream->send(payload, std::span(&fd, 1));
    }
  } catch (const Failure& failure) {
    EXPECT(failure.code() == ErrorCode::kBackpressure);
  }
  EXPECT(sent >= 16 && sent < 1000);
  size_t received = 0;
  while (received < sent) {
    pair.stream->flush();
    for (const Frame& frame : reader.read().frames) {
      EXPECT_EQUAL(std::to_integer<size_t>(frame.payload[0]), received & 255);
      EXPECT_EQUAL(frame.payload.size(), payload.size());
      EXPECT_EQUAL(frame.descriptors.size(), 1u);
      ++received;
    }
  }
  EXPECT(!pair.stream->has_queued());
}

TEST("frames: the end of the peer is told after its last frame") {
  Pair pair;
  pair.write_raw(header(1, 0) + "z" + header(5, 0) + "cut");
  pair.raw.reset();
  const ReadOutcome outcome = pair.stream->read();
  EXPECT_EQUAL(outcome.frames.size(), 1u);
  EXPECT(outcome.ended);
  EXPECT(!outcome.fault.has_value());
  try {
    pair.stream->send({}, {});
    EXPECT(false);
  } catch (const Failure& failure) {
    EXPECT(failure.code() == ErrorCode::kClosed);
  }
}
