// The frame of every exported function: arguments are checked by position and type, and no C++ exception ever
// passes into the engine. A wrong argument means a mistake in ts/, so its message names function and position.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>

#include "os/failure.h"

namespace nautilus {

// A Node-API call failed. The engine's own pending exception, if there is one, is left to it.
struct EngineError {
  napi_status status;
};

inline void check(napi_status status) {
  if (status != napi_ok) throw EngineError{status};
}

// An object of ours as an opaque value: `kind` is the address of a constant, one per type.
struct Box {
  const char* kind;
};
template <typename T>
struct BoxOf : Box {
  std::shared_ptr<T> object;
};

template <typename T>
napi_value wrap(napi_env env, std::shared_ptr<T> object) {
  auto box = std::make_unique<BoxOf<T>>();
  box->kind = T::kKind;
  box->object = std::move(object);
  napi_value value = nullptr;
  check(napi_create_external(
      env, static_cast<Box*>(box.get()),
      [](napi_env, void* data, void*) { delete static_cast<BoxOf<T>*>(static_cast<Box*>(data)); }, nullptr, &value));
  static_cast<void>(box.release());
  return value;
}

class Call {
 public:
  static constexpr size_t kMaxArguments = 6;

  Call(napi_env env, napi_callback_info info) : env_(env) {
    check(napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr));
  }

  napi_env env() const noexcept { return env_; }
  napi_value value(size_t at) const;
  double number(size_t at) const;
  // A whole number from 0 to 2^53 - 1.
  uint64_t size(size_t at) const;
  int fd(size_t at) const;
  bool boolean(size_t at) const;
  std::string text(size_t at) const;
  std::span<const std::byte> bytes(size_t at) const;
  // Typed arrays, valid until JavaScript runs again.
  std::span<double> doubles(size_t at) const;
  std::span<uint32_t> words(size_t at) const;
  napi_value function(size_t at) const;
  bool is_null(size_t at) const;

  template <typename T>
  std::shared_ptr<T>& object(size_t at) const {
    void* data = nullptr;
    if (napi_get_value_external(env_, value(at), &data) == napi_ok) {
      auto* box = static_cast<Box*>(data);
      if (box->kind == T::kKind) return static_cast<BoxOf<T>*>(box)->object;
    }
    throw wrong(at, T::kKind);
  }

  Failure wrong(size_t at, const char* expected) const;

 private:
  std::span<std::byte> typed_array(size_t at, napi_typedarray_type expected, const char* name) const;

  napi_env env_;
  size_t count_ = kMaxArguments;
  napi_value values_[kMaxArguments];
};

// Reports whatever is being handled as a JavaScript exception; call it inside catch (...).
void throw_to_javascript(napi_env env) noexcept;

template <napi_value (*Body)(const Call&)>
napi_value entry(napi_env env, napi_callback_info info) noexcept {
  try {
    return Body(Call(env, info));
  } catch (...) {
    throw_to_javascript(env);
    return nullptr;
  }
}

}  // namespace nautilus
