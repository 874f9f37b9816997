// C++ values as JavaScript values. "Absent" is null on the other side, never undefined.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "binding/call.h"

namespace nautilus {

inline napi_value null_js(napi_env env) {
  napi_value value = nullptr;
  check(napi_get_null(env, &value));
  return value;
}

inline napi_value to_js(napi_env env, bool truth) {
  napi_value value = nullptr;
  check(napi_get_boolean(env, truth, &value));
  return value;
}

template <typename Number>
  requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
napi_value to_js(napi_env env, Number number) {
  napi_value value = nullptr;
  check(napi_create_double(env, static_cast<double>(number), &value));
  return value;
}

inline napi_value to_js(napi_env env, std::string_view text) {
  napi_value value = nullptr;
  check(napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

inline napi_value to_js(napi_env env, const std::string& text) { return to_js(env, std::string_view(text)); }
inline napi_value to_js(napi_env env, const char* text) { return to_js(env, std::string_view(text)); }
inline napi_value to_js(napi_env, napi_value value) { return value; }

template <typename T>
napi_value to_js(napi_env env, const std::optional<T>& optional) {
  return optional ? to_js(env, *optional) : null_js(env);
}

class ObjectBuilder {
 public:
  explicit ObjectBuilder(napi_env env) : env_(env) { check(napi_create_object(env, &object_)); }

  template <typename T>
  ObjectBuilder& set(const char* name, const T& value) {
    check(napi_set_named_property(env_, object_, name, to_js(env_, value)));
    return *this;
  }
  napi_value done() const noexcept { return object_; }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

class ArrayBuilder {
 public:
  explicit ArrayBuilder(napi_env env) : env_(env) { check(napi_create_array(env, &array_)); }

  template <typename T>
  ArrayBuilder& add(const T& value) {
    check(napi_set_element(env_, array_, length_++, to_js(env_, value)));
    return *this;
  }
  napi_value done() const noexcept { return array_; }

 private:
  napi_env env_;
  napi_value array_ = nullptr;
  uint32_t length_ = 0;
};

// What a function returns that returns nothing.
inline napi_value undefined_js() noexcept { return nullptr; }

}  // namespace nautilus
