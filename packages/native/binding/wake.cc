// The sleeping end of a wake in the event loop, and the waking end of another process's.
#include "os/wake.h"

#include "binding/callback.h"
#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/values.h"

namespace nautilus {
namespace {

class Wake final : public Endpoint, public std::enable_shared_from_this<Wake> {
 public:
  static constexpr const char kKind[] = "a wake";

  Wake(napi_env env, UniqueDescriptor sleeper, Callback on_signal)
      : env_(env), sleeper_(std::move(sleeper)), on_signal_(std::move(on_signal)) {}
  ~Wake() override { shut(); }

  // From here on it lives until it is closed, and keeps no process alive unless told to.
  void start() {
    PollSet& polls = Environment::require(env_).polls();
    poll_ = std::make_unique<Poll>(polls, sleeper_.get(), [this](int events) { on_ready(events); });
    polls.add(this);
    self_ = shared_from_this();
    poll_->keep_alive(false);
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
    close_wake(std::move(sleeper_));
    on_signal_ = Callback();
    self_.reset();
  }

 private:
  void on_ready(int events) {
    const std::shared_ptr<Wake> alive = shared_from_this();
    if (events < 0) return shut();
    // Before the callback looks: what is signalled after that makes it readable anew.
    drain_wake(sleeper_.get());
    try {
      const HandleScope scope(env_);
      on_signal_.call({});
    } catch (...) {
      // The engine could not run the callback: without a descriptor nothing can go wrong again.
      shut();
    }
  }

  napi_env env_;
  UniqueDescriptor sleeper_;
  std::unique_ptr<Poll> poll_;
  Callback on_signal_;
  std::shared_ptr<Wake> self_;
};

}  // namespace

napi_value wake_create(const Call& call) {
  WakePair pair = create_wake();
  auto wake = std::make_shared<Wake>(call.env(), std::move(pair.sleeper), Callback(call.env(), call.function(0)));
  wake->start();
  const int fd = Environment::require(call.env()).give(std::move(pair.waker));
  return ObjectBuilder(call.env()).set("handle", wrap(call.env(), std::move(wake))).set("signalFd", fd).done();
}

napi_value wake_keep_alive(const Call& call) {
  call.object<Wake>(0)->keep_alive(call.boolean(1));
  return undefined_js();
}

napi_value wake_close(const Call& call) {
  call.object<Wake>(0)->shut();
  return undefined_js();
}

napi_value wake_check(const Call& call) { return to_js(call.env(), is_wake(call.fd(0))); }

napi_value wake_signal(const Call& call) { return to_js(call.env(), signal_wake(call.fd(0))); }

}  // namespace nautilus
