// Readiness of descriptors in the event loop of one environment. Each environment has its own loop; when it
// ends, all its endpoints are shut and Node waits until libuv has let go of them.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <unordered_set>

namespace nautilus {

// Something that watches a descriptor and must let go of it when the environment ends.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  // Without any call into JavaScript.
  virtual void shut() noexcept = 0;
};

class PollSet : public std::enable_shared_from_this<PollSet> {
 public:
  static std::shared_ptr<PollSet> create(napi_env env);

  void add(Endpoint* endpoint) { endpoints_.insert(endpoint); }
  void remove(Endpoint* endpoint) noexcept { endpoints_.erase(endpoint); }

 private:
  friend class Poll;
  static void on_environment_end(napi_async_cleanup_hook_handle handle, void* data);
  void handle_opened() noexcept { ++open_handles_; }
  void handle_closed() noexcept;

  uv_loop_t* loop_ = nullptr;
  std::unordered_set<Endpoint*> endpoints_;
  size_t open_handles_ = 0;  // libuv handles that are not closed completely
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool is_ending_ = false;
};

class Poll {
 public:
  // events: UV_READABLE and so on; negative: a libuv error, after which nothing more comes.
  Poll(PollSet& set, int fd, std::function<void(int events)> on_ready);
  // Before the descriptor is closed.
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void watch(int events) noexcept;
  void keep_alive(bool is_kept_alive) noexcept;

 private:
  // Outlives Poll until libuv has closed it.
  struct Handle {
    uv_poll_t poll;
    std::shared_ptr<PollSet> set;
    std::function<void(int events)> on_ready;  // empty once the Poll is gone
  };
  Handle* handle_;
};

}  // namespace nautilus
