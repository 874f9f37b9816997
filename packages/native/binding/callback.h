// A JavaScript function that is called from the event loop. What it throws becomes an uncaught exception, as
// from any other callback of Node.
#pragma once

#include <node_api.h>

#include <initializer_list>

#include "binding/call.h"
#include "binding/values.h"

namespace nautilus {

class Callback {
 public:
  Callback() = default;
  Callback(napi_env env, napi_value function) : env_(env) { check(napi_create_reference(env, function, 1, &reference_)); }
  Callback(Callback&& other) noexcept { swap(other); }
  Callback& operator=(Callback&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Callback() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
  }

  // Inside a handle scope.
  void call(std::initializer_list<napi_value> arguments) const {
    if (reference_ == nullptr) return;
    napi_value function = nullptr;
    napi_value global = nullptr;
    check(napi_get_reference_value(env_, reference_, &function));
    check(napi_get_global(env_, &global));
    const napi_status status =
        napi_make_callback(env_, nullptr, global, function, arguments.size(), arguments.begin(), nullptr);
    if (status != napi_pending_exception) return;
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
  }

 private:
  void swap(Callback& other) noexcept {
    std::swap(env_, other.env_);
    std::swap(reference_, other.reference_);
  }

  napi_env env_ = nullptr;
  napi_ref reference_ = nullptr;
};

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { check(napi_open_handle_scope(env, &scope_)); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace nautilus
