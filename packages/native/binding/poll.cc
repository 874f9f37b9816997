// libuv frees nothing by itself: a handle lives until its close callback, so it is owned by that callback and
// holds the set alive, which may outlive the environment's instance data.
#include "binding/poll.h"

#include "binding/call.h"

namespace nautilus {

std::shared_ptr<PollSet> PollSet::create(napi_env env) {
  auto set = std::make_shared<PollSet>();
  check(napi_get_uv_event_loop(env, &set->loop_));
  // The hook owns a reference of its own until it has been removed.
  auto held = std::make_unique<std::shared_ptr<PollSet>>(set);
  check(napi_add_async_cleanup_hook(env, on_environment_end, held.get(), &set->hook_));
  static_cast<void>(held.release());
  return set;
}

void PollSet::on_environment_end(napi_async_cleanup_hook_handle, void* data) {
  const std::unique_ptr<std::shared_ptr<PollSet>> held(static_cast<std::shared_ptr<PollSet>*>(data));
  PollSet& set = **held;
  set.is_ending_ = true;
  while (!set.endpoints_.empty()) {
    Endpoint* endpoint = *set.endpoints_.begin();
    set.endpoints_.erase(endpoint);
    endpoint->shut();
  }
  if (set.open_handles_ == 0) napi_remove_async_cleanup_hook(set.hook_);
}

void PollSet::handle_closed() noexcept {
  --open_handles_;
  if (is_ending_ && open_handles_ == 0) napi_remove_async_cleanup_hook(hook_);
}

Poll::Poll(PollSet& set, int fd, std::function<void(int events)> on_ready) {
  auto handle = std::make_unique<Handle>();
  const int status = uv_poll_init(set.loop_, &handle->poll, fd);
  if (status != 0) throw system_failure("uv_poll_init", -status, "watching descriptor " + std::to_string(fd));
  handle->set = set.shared_from_this();
  handle->on_ready = std::move(on_ready);
  handle->poll.data = handle.get();
  set.handle_opened();
  handle_ = handle.release();
}

Poll::~Poll() {
  handle_->on_ready = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll), [](uv_handle_t* closed) {
    const std::unique_ptr<Handle> handle(static_cast<Handle*>(closed->data));
    handle->set->handle_closed();
  });
}

void Poll::watch(int events) noexcept {
  uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
    auto* handle = static_cast<Handle*>(poll->data);
    // A copy: the callback may end its own Poll.
    const auto on_ready = handle->on_ready;
    if (on_ready) on_ready(status < 0 ? status : ready);
  });
}

void Poll::keep_alive(bool is_kept_alive) noexcept {
  auto* handle = reinterpret_cast<uv_handle_t*>(&handle_->poll);
  if (is_kept_alive) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

}  // namespace nautilus
