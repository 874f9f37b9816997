// A device does its operations in order, so one thread waits for the oldest and loses nothing by it. The event loop
// is kept alive only while something is on its way.
#include "binding/callback.h"
#include "binding/device.h"
#include "binding/values.h"

namespace nautilus {
namespace {

// How long the end of an environment may have to wait for this thread to look up.
constexpr uint64_t kLookMs = 20;

}  // namespace

DeviceWaiter::DeviceWaiter(napi_env env, std::shared_ptr<Device> device) : env_(env), device_(std::move(device)) {
  napi_value name = to_js(env, "nautilus.device");
  check(napi_create_threadsafe_function(
      env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
      [](napi_env running, napi_value, void* context, void*) {
        // Without an environment there is nobody to tell any more, and the waiter may be gone.
        if (running != nullptr) static_cast<DeviceWaiter*>(context)->settle_done(running);
      },
      &wake_));
  napi_unref_threadsafe_function(env, wake_);
  // Hooks run in reverse order: this one while the function above still stands.
  napi_add_env_cleanup_hook(env, on_environment_end, this);
  thread_ = std::thread([this] { run(); });
}

DeviceWaiter::~DeviceWaiter() {
  if (thread_.joinable()) napi_remove_env_cleanup_hook(env_, on_environment_end, this);
  stop();
}

void DeviceWaiter::on_environment_end(void* data) { static_cast<DeviceWaiter*>(data)->stop(); }

void DeviceWaiter::stop() noexcept {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(lock_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

void DeviceWaiter::add(std::unique_ptr<PendingOperation> pending) {
  if (pending_++ == 0) napi_ref_threadsafe_function(env_, wake_);
  {
    const std::lock_guard guard(lock_);
    waiting_.push_back(std::move(pending));
  }
  changed_.notify_all();
}

void DeviceWaiter::run() {
  std::unique_lock guard(lock_);
  while (true) {
    changed_.wait(guard, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) break;
    std::unique_ptr<PendingOperation> oldest = std::move(waiting_.front());
    waiting_.pop_front();
    do {
      guard.unlock();
      oldest->result = device_->wait(oldest->ticket, kLookMs);
      guard.lock();
    } while (oldest->result.status == DeviceStatus::kTimedOut && !is_stopping_);
    done_.push_back(std::move(oldest));
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
  // Buffers that nobody else holds end here, and with them their operations.
  const auto abandoned = std::move(waiting_);
  waiting_.clear();
  guard.unlock();
}

void DeviceWaiter::settle_done(napi_env env) {
  std::deque<std::unique_ptr<PendingOperation>> settled;
  {
    const std::lock_guard guard(lock_);
    settled.swap(done_);
  }
  try {
    const HandleScope scope(env);
    for (const auto& operation : settled) {
      settle(env, operation->deferred, operation->result);
      if (--pending_ == 0) napi_unref_threadsafe_function(env, wake_);
    }
  } catch (const EngineError& error) {
    // A worker that is being terminated still gets this call and takes no answer any more: nobody waits for it. Let
    // through, the refusal would end the whole process.
    if (error.status != napi_pending_exception && error.status != napi_cannot_run_js) throw;
  }
}

void settle(napi_env env, napi_deferred deferred, const DeviceResult& result) {
  napi_value outcome = ObjectBuilder(env)
                           .set("status", static_cast<int>(result.status))
                           .set("reason", result.reason)
                           .set("checksum", result.checksum)
                           .done();
  check(napi_resolve_deferred(env, deferred, outcome));
}

}  // namespace nautilus
