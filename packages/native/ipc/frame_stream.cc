// Received descriptors belong to a frame by order: they come with its first byte, so they are here when its
// header is complete. Whatever a header did not announce is a fault, and every descriptor is closed with it.
#include "ipc/frame_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "ipc/platform.h"
#include "os/failure.h"

namespace nautilus {
namespace {

constexpr size_t kReadBytes = 65536;
constexpr int kReadsAtOnce = 16;
// The most that one message carries on Linux (SCM_MAX_FD).
constexpr size_t kMaxMessageDescriptors = 253;

using Header = std::array<std::byte, kFrameHeaderBytes>;

Header header_of(uint32_t payload_bytes, size_t descriptors) {
  Header header{};
  for (size_t at = 0; at < 4; ++at) header[at] = static_cast<std::byte>(payload_bytes >> (8 * at));
  header[4] = static_cast<std::byte>(descriptors);
  return header;
}

void take_descriptors(msghdr& message, std::deque<ForeignDescriptor>& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; ++index) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

}  // namespace

ReadOutcome FrameStream::read() {
  ReadOutcome outcome;
  std::array<std::byte, kReadBytes> bytes;
  // Room for more than a frame may have: what does not fit is closed by the kernel, on this thread.
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * kMaxMessageDescriptors)> control;
  for (int reads = 0; reads < kReadsAtOnce && !outcome.fault;) {
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t received = receive_message(socket_.get(), &message);
    if (received < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) outcome.ended = true;  // ECONNRESET: the peer died with our bytes unread
      break;
    }
    const size_t before = received_.size();
    take_descriptors(message, received_);
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
      outcome.fault = "descriptors lost: this process has no descriptor left";
      break;
    }
    if (received_.size() - before > kMaxFrameDescriptors) {
      outcome.fault = std::to_string(received_.size() - before) + " descriptors at once, at most " +
                      std::to_string(kMaxFrameDescriptors) + " are accepted";
      break;
    }
    if (received == 0) {
      outcome.ended = true;
      break;
    }
    input_.insert(input_.end(), bytes.begin(), bytes.begin() + received);
    parse(outcome);
    ++reads;
  }
  return outcome;
}

void FrameStream::parse(ReadOutcome& outcome) {
  size_t at = 0;
  while (!outcome.fault) {
    if (partial_) {
      const size_t taken = std::min(input_.size() - at, partial_bytes_ - partial_->payload.size());
      const auto from = input_.begin() + static_cast<ptrdiff_t>(at);
      partial_->payload.insert(partial_->payload.end(), from, from + static_cast<ptrdiff_t>(taken));
      at += taken;
      if (partial_->payload.size() < partial_bytes_) break;
      outcome.frames.push_back(std::move(*partial_));
      partial_.reset();
      continue;
    }
    if (input_.size() - at < kFrameHeaderBytes) break;
    const std::byte* header = input_.data() + at;
    uint32_t payload_bytes = 0;
    for (size_t byte = 0; byte < 4; ++byte) payload_bytes |= std::to_integer<uint32_t>(header[byte]) << (8 * byte);
    const size_t descriptors = std::to_integer<size_t>(header[4]);
    if (payload_bytes > max_frame_bytes_) {
      outcome.fault = "frame of " + std::to_string(payload_bytes) + " bytes, at most " +
                      std::to_string(max_frame_bytes_) + " are accepted";
    } else if (header[5] != std::byte{0} || header[6] != std::byte{0} || header[7] != std::byte{0}) {
      outcome.fault = "frame header with padding that is not zero";
    } else if (descriptors > kMaxFrameDescriptors) {
      outcome.fault = "frame with " + std::to_string(descriptors) + " descriptors, at most " +
                      std::to_string(kMaxFrameDescriptors) + " are accepted";
    } else if (descriptors > received_.size()) {
      outcome.fault = "frame announced " + std::to_string(descriptors) + " descriptors, " +
                      std::to_string(received_.size()) + " came";
    } else {
      at += kFrameHeaderBytes;
      partial_.emplace();
      partial_bytes_ = payload_bytes;
      for (size_t taken = 0; taken < descriptors; ++taken) {
        partial_->descriptors.push_back(std::move(received_.front()));
        received_.pop_front();
      }
    }
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(at));
  if (!outcome.fault) check_stray_descriptors(outcome);
}

void FrameStream::check_stray_descriptors(ReadOutcome& outcome) const {
  // With part of a header here, the descriptors may still be the next frame's own.
  const size_t allowed = !partial_ && !input_.empty() ? kMaxFrameDescriptors : 0;
  if (received_.size() <= allowed) return;
  outcome.fault = std::to_string(received_.size()) + " descriptors that no frame announced";
}

void FrameStream::send(std::span<const std::byte> payload, std::span<const int> descriptors) {
  if (payload.size() > max_frame_bytes_) {
    throw Failure(ErrorCode::kTooLarge, "frame of " + std::to_string(payload.size()) + " bytes, at most " +
                                            std::to_string(max_frame_bytes_) + " are sent");
  }
  if (descriptors.size() > kMaxFrameDescriptors) {
    throw Failure(ErrorCode::kTooLarge, "frame with " + std::to_string(descriptors.size()) +
                                            " descriptors, at most " + std::to_string(kMaxFrameDescriptors) +
                                            " are sent");
  }
  const size_t frame_bytes = kFrameHeaderBytes + payload.size();
  if (has_queued() && queued_bytes_ + frame_bytes > kMaxQueuedBytes) {
    throw Failure(ErrorCode::kBackpressure, "frame of " + std::to_string(frame_bytes) + " bytes: " +
                                                std::to_string(queued_bytes_) + " bytes are queued, at most " +
                                                std::to_string(kMaxQueuedBytes) + " may be; the peer does not read");
  }
  const Header header = header_of(static_cast<uint32_t>(payload.size()), descriptors.size());
  Queued frame;
  frame.bytes.reserve(frame_bytes);
  frame.bytes.insert(frame.bytes.end(), header.begin(), header.end());
  frame.bytes.insert(frame.bytes.end(), payload.begin(), payload.end());
  if (!has_queued()) {
    frame.sent = send_some(frame.bytes, descriptors);
    if (frame.sent == frame.bytes.size()) return;
  }
  if (frame.sent == 0) {
    // The caller may close its own right after this call.
    for (const int fd : descriptors) {
      ForeignDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
      if (!copy.is_open()) throw system_failure("fcntl(F_DUPFD)", errno, "queueing a descriptor");
      frame.descriptors.push_back(std::move(copy));
    }
  }
  queued_bytes_ += frame.bytes.size() - frame.sent;
  queue_.push_back(std::move(frame));
}

void FrameStream::flush() {
  while (!queue_.empty()) {
    Queued& frame = queue_.front();
    std::vector<int> descriptors;
    for (const ForeignDescriptor& descriptor : frame.descriptors) descriptors.push_back(descriptor.get());
    const size_t sent = send_some(std::span(frame.bytes).subspan(frame.sent), descriptors);
    if (sent == 0) return;
    frame.descriptors.clear();
    frame.sent += sent;
    queued_bytes_ -= sent;
    if (frame.sent == frame.bytes.size()) queue_.pop_front();
  }
}

size_t FrameStream::send_some(std::span<const std::byte> bytes, std::span<const int> descriptors) {
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * kMaxFrameDescriptors)> control{};
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = static_cast<decltype(message.msg_controllen)>(CMSG_SPACE(descriptors.size_bytes()));
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = static_cast<decltype(rights->cmsg_len)>(CMSG_LEN(descriptors.size_bytes()));
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  for (;;) {
    const ssize_t sent = send_message(socket_.get(), &message);
    if (sent >= 0) return static_cast<size_t>(sent);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return 0;
    throw system_failure("sendmsg", errno, "connection");
  }
}

}  // namespace nautilus
