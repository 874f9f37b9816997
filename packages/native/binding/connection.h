// A frame stream in the event loop: reads when told to, flushes when it can, notices the peer's end at once.
#pragma once

#include <memory>
#include <optional>

#include "binding/callback.h"
#include "binding/environment.h"
#include "binding/poll.h"
#include "ipc/frame_stream.h"
#include "ipc/platform.h"

namespace nautilus {

class Connection final : public Endpoint, public std::enable_shared_from_this<Connection> {
 public:
  static constexpr const char kKind[] = "a connection";

  Connection(napi_env env, UniqueDescriptor socket, uint32_t max_frame_bytes);
  ~Connection() override;

  // From here on it lives until it is closed, whether JavaScript holds it or not.
  void start(Callback on_frame, Callback on_close);
  void resume();
  void send(std::span<const std::byte> payload, std::span<const int> descriptors);
  void keep_alive(bool is_kept_alive) noexcept;
  void shut() noexcept override;
  const Peer& peer() const noexcept { return peer_; }

 private:
  void on_ready(int events);
  void read_frames();
  void deliver(Frame frame);
  void end(const std::string& reason);
  void watch() noexcept;

  napi_env env_;
  Peer peer_;
  std::optional<FrameStream> stream_;  // empty once closed
  std::unique_ptr<Poll> poll_;
  Callback on_frame_;
  Callback on_close_;
  bool is_reading_ = false;
  std::shared_ptr<Connection> self_;
};

}  // namespace nautilus
