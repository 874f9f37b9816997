// A socket server in the event loop.
#include "binding/callback.h"
#include "binding/connection.h"
#include "binding/functions.h"
#include "binding/values.h"
#include "ipc/endpoint.h"

namespace nautilus {
namespace {

// Connections accepted per wake-up, so that a flood of them leaves time for the ones that are open.
constexpr int kAcceptsAtOnce = 32;

class Listener final : public Endpoint, public std::enable_shared_from_this<Listener> {
 public:
  static constexpr const char kKind[] = "a listener";

  Listener(napi_env env, const std::string& path, uint32_t mode, uint32_t max_frame_bytes, Callback on_connection)
      : env_(env),
        max_frame_bytes_(max_frame_bytes),
        server_(std::make_unique<SocketServer>(path, mode)),
        on_connection_(std::move(on_connection)) {}
  ~Listener() override { shut(); }

  void start() {
    PollSet& polls = Environment::require(env_).polls();
    poll_ = std::make_unique<Poll>(polls, server_->fd(), [this](int events) { on_ready(events); });
    polls.add(this);
    self_ = shared_from_this();
    poll_->watch(UV_READABLE);
  }

  void keep_alive(bool is_kept_alive) noexcept {
    if (poll_) poll_->keep_alive(is_kept_alive);
  }

  void shut() noexcept override {
    if (poll_) {
      if (Environment* environment = Environment::of(env_)) environment->polls().remove(this);
      poll_.reset();
    }
    server_.reset();
    on_connection_ = Callback();
    self_.reset();
  }

 private:
  void on_ready(int events) {
    const std::shared_ptr<Listener> alive = shared_from_this();
    if (events < 0) return shut();
    for (int accepts = 0; accepts < kAcceptsAtOnce && server_; ++accepts) {
      std::optional<UniqueDescriptor> accepted = server_->accept();
      if (!accepted) return;
      try {
        const HandleScope scope(env_);
        auto connection = std::make_shared<Connection>(env_, std::move(*accepted), max_frame_bytes_);
        on_connection_.call({wrap(env_, std::move(connection))});
      } catch (...) {
        // This one connection is closed with its descriptor; the peer sees the end, the others go on.
        continue;
      }
    }
  }

  napi_env env_;
  uint32_t max_frame_bytes_;
  std::unique_ptr<SocketServer> server_;  // empty once closed
  std::unique_ptr<Poll> poll_;
  Callback on_connection_;
  std::shared_ptr<Listener> self_;
};

}  // namespace

napi_value socket_listen(const Call& call) {
  auto listener = std::make_shared<Listener>(call.env(), call.text(0), static_cast<uint32_t>(call.size(1)),
                                             static_cast<uint32_t>(call.size(2)),
                                             Callback(call.env(), call.function(3)));
  listener->start();
  return wrap(call.env(), std::move(listener));
}

napi_value listener_close(const Call& call) {
  call.object<Listener>(0)->shut();
  return undefined_js();
}

napi_value listener_keep_alive(const Call& call) {
  call.object<Listener>(0)->keep_alive(call.boolean(1));
  return undefined_js();
}

}  // namespace nautilus
