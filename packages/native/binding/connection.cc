// Every JavaScript callback may close the connection it comes from: after each one, `stream_` is asked again.
#include "binding/connection.h"

#include <sys/socket.h>

#include "binding/functions.h"
#include "binding/values.h"
#include "ipc/endpoint.h"

namespace nautilus {

Connection::Connection(napi_env env, UniqueDescriptor socket, uint32_t max_frame_bytes)
    : env_(env), peer_(peer_of(socket.get())), stream_(std::in_place, std::move(socket), max_frame_bytes) {}

Connection::~Connection() { shut(); }

void Connection::start(Callback on_frame, Callback on_close) {
  if (!stream_) throw Failure(ErrorCode::kClosed, "connection: already closed");
  if (poll_) throw Failure(ErrorCode::kInvalidArgument, "connection: started twice");
  PollSet& polls = Environment::require(env_).polls();
  poll_ = std::make_unique<Poll>(polls, stream_->fd(), [this](int events) { on_ready(events); });
  polls.add(this);
  on_frame_ = std::move(on_frame);
  on_close_ = std::move(on_close);
  self_ = shared_from_this();
  watch();
}

void Connection::resume() {
  is_reading_ = true;
  if (poll_) watch();
}

void Connection::watch() noexcept {
  const bool has_queued = stream_->has_queued();
  poll_->watch(UV_DISCONNECT | (is_reading_ ? UV_READABLE : 0) | (has_queued ? UV_WRITABLE : 0));
}

void Connection::send(std::span<const std::byte> payload, std::span<const int> descriptors) {
  if (!stream_) throw Failure(ErrorCode::kClosed, "connection: already closed");
  stream_->send(payload, descriptors);
  if (poll_ && stream_->has_queued()) watch();
}

void Connection::keep_alive(bool is_kept_alive) noexcept {
  if (poll_) poll_->keep_alive(is_kept_alive);
}

void Connection::shut() noexcept {
  if (poll_) {
    if (Environment* environment = Environment::of(env_)) environment->polls().remove(this);
    poll_.reset();
  }
  // The peer sees the end now, whenever the socket is closed.
  if (stream_) ::shutdown(stream_->fd(), SHUT_RDWR);
  stream_.reset();
  on_frame_ = Callback();
  on_close_ = Callback();
  self_.reset();
}

void Connection::end(const std::string& reason) {
  if (!stream_) return;
  const Callback on_close = std::move(on_close_);
  shut();
  on_close.call({to_js(env_, reason)});
}

void Connection::on_ready(int events) {
  const std::shared_ptr<Connection> alive = shared_from_this();
  try {
    const HandleScope scope(env_);
    // Why nothing can be sent any more. The peer can be gone with frames of its own still unread.
    std::optional<std::string> broken;
    try {
      if (events > 0 && (events & UV_WRITABLE) != 0) {
        stream_->flush();
        if (!stream_->has_queued()) watch();
      }
    } catch (const Failure& failure) {
      broken = failure.code() == ErrorCode::kClosed ? "peer" : failure.what();
    }
    // libuv reports a reset socket as an error: what came before the reset can still be read.
    if (events < 0) broken = "peer";
    if (is_reading_ && (broken || (events & (UV_READABLE | UV_DISCONNECT)) != 0)) read_frames();
    if (!stream_) return;
    if (broken) {
      end(*broken);
    } else if (!is_reading_ && (events & UV_DISCONNECT) != 0) {
      end("peer");
    }
  } catch (...) {
    // Neither the engine nor the heap could do what was needed: without a stream nothing can go wrong again.
    shut();
  }
}

void Connection::read_frames() {
  ReadOutcome outcome = stream_->read();
  for (Frame& frame : outcome.frames) {
    if (!stream_) return;
    deliver(std::move(frame));
  }
  if (outcome.fault) {
    end(*outcome.fault);
  } else if (outcome.ended) {
    end("peer");
  }
}

void Connection::deliver(Frame frame) {
  const HandleScope scope(env_);
  napi_value payload = nullptr;
  check(napi_create_buffer_copy(env_, frame.payload.size(), frame.payload.data(), nullptr, &payload));
  ArrayBuilder fds(env_);
  Environment& environment = Environment::require(env_);
  for (ForeignDescriptor& descriptor : frame.descriptors) {
    fds.add(environment.give(UniqueDescriptor(descriptor.release())));
  }
  on_frame_.call({payload, fds.done()});
}

napi_value socket_connect(const Call& call) {
  const auto max_frame_bytes = static_cast<uint32_t>(call.size(1));
  return wrap(call.env(), std::make_shared<Connection>(call.env(), connect_socket(call.text(0)), max_frame_bytes));
}

napi_value connection_start(const Call& call) {
  call.object<Connection>(0)->start(Callback(call.env(), call.function(1)), Callback(call.env(), call.function(2)));
  return undefined_js();
}

napi_value connection_resume(const Call& call) {
  call.object<Connection>(0)->resume();
  return undefined_js();
}

napi_value connection_peer(const Call& call) {
  const Peer& peer = call.object<Connection>(0)->peer();
  return ObjectBuilder(call.env()).set("uid", peer.uid).set("gid", peer.gid).set("pid", peer.pid).done();
}

napi_value connection_send(const Call& call) {
  uint32_t count = 0;
  check(napi_get_array_length(call.env(), call.value(2), &count));
  std::vector<int> descriptors;
  for (uint32_t at = 0; at < count; ++at) {
    napi_value element = nullptr;
    int32_t fd = -1;
    check(napi_get_element(call.env(), call.value(2), at, &element));
    if (napi_get_value_int32(call.env(), element, &fd) != napi_ok) throw call.wrong(2, "an array of descriptors");
    descriptors.push_back(fd);
  }
  call.object<Connection>(0)->send(call.bytes(1), descriptors);
  return undefined_js();
}

napi_value connection_keep_alive(const Call& call) {
  call.object<Connection>(0)->keep_alive(call.boolean(1));
  return undefined_js();
}

napi_value connection_close(const Call& call) {
  call.object<Connection>(0)->shut();
  return undefined_js();
}

}  // namespace nautilus
