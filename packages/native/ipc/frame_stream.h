// Frames over a non-blocking Unix stream socket: u32 LE payload length, u8 descriptor count, three zero bytes,
// payload; descriptors ride on the frame's first byte. Knows no event loop: its owner calls read() and flush()
// when the socket is ready.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "os/unique_descriptor.h"

namespace nautilus {

constexpr size_t kFrameHeaderBytes = 8;
constexpr size_t kMaxFrameDescriptors = 16;
constexpr size_t kMaxQueuedBytes = 1024 * 1024;

struct Frame {
  std::vector<std::byte> payload;
  std::vector<ForeignDescriptor> descriptors;
};

struct ReadOutcome {
  std::vector<Frame> frames;
  bool ended = false;                // the peer is gone
  std::optional<std::string> fault;  // the peer's bytes are no frames; the stream cannot go on
};

class FrameStream {
 public:
  FrameStream(UniqueDescriptor socket, uint32_t max_frame_bytes)
      : socket_(socket.release()), max_frame_bytes_(max_frame_bytes) {}

  int fd() const noexcept { return socket_.get(); }
  // All that is there, up to a bound that keeps one busy peer from starving the others.
  ReadOutcome read();
  // Sends now or queues; throws backpressure (and has queued nothing), closed, too_large.
  void send(std::span<const std::byte> payload, std::span<const int> descriptors);
  // Sends what is queued; throws closed.
  void flush();
  bool has_queued() const noexcept { return !queue_.empty(); }

 private:
  struct Queued {
    std::vector<std::byte> bytes;
    size_t sent = 0;
    std::vector<ForeignDescriptor> descriptors;  // until the first byte is sent
  };

  // Bytes sent; 0 when the socket is full.
  size_t send_some(std::span<const std::byte> bytes, std::span<const int> descriptors);
  void parse(ReadOutcome& outcome);
  void check_stray_descriptors(ReadOutcome& outcome) const;

  ForeignDescriptor socket_;  // what lies unread in it is closed with it
  uint32_t max_frame_bytes_;
  std::vector<std::byte> input_;
  std::deque<ForeignDescriptor> received_;  // not yet claimed by a frame header
  std::optional<Frame> partial_;           // header read, payload incomplete
  size_t partial_bytes_ = 0;
  std::deque<Queued> queue_;
  size_t queued_bytes_ = 0;
};

}  // namespace nautilus
