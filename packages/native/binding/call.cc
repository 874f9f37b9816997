// Argument checks, and the one place where C++ failures become JavaScript errors.
#include "binding/call.h"

#include "binding/environment.h"
#include "binding/values.h"

namespace nautilus {
namespace {

const char* type_name(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok) return "nothing";
  switch (type) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number out of range";
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_object: return "an object";
    case napi_function: return "a function";
    case napi_external: return "another handle";
    case napi_bigint: return "a bigint";
  }
  return "something";
}

void throw_failure(napi_env env, const Failure& failure) {
  Environment* environment = Environment::of(env);
  napi_value factory = nullptr;
  if (environment == nullptr || (factory = environment->error_factory()) == nullptr) {
    napi_throw_error(env, std::string(name_of(failure.code())).c_str(), failure.what());
    return;
  }
  const auto& kernel = failure.kernel();
  napi_value arguments[] = {to_js(env, name_of(failure.code())), to_js(env, std::string_view(failure.what())),
                            kernel ? to_js(env, kernel->number) : null_js(env),
                            kernel ? to_js(env, std::string_view(kernel->syscall)) : null_js(env)};
  napi_value error = nullptr;
  check(napi_call_function(env, null_js(env), factory, 4, arguments, &error));
  check(napi_throw(env, error));
}

}  // namespace

napi_value Call::value(size_t at) const {
  if (at >= count_) throw Failure(ErrorCode::kInvalidArgument, "args[" + std::to_string(at) + "]: missing");
  return values_[at];
}

Failure Call::wrong(size_t at, const char* expected) const {
  return Failure(ErrorCode::kInvalidArgument, "args[" + std::to_string(at) + "]: expected " + expected + ", found " +
                                                  (at < count_ ? type_name(env_, values_[at]) : "nothing"));
}

double Call::number(size_t at) const {
  double number = 0;
  if (napi_get_value_double(env_, value(at), &number) != napi_ok) throw wrong(at, "a number");
  return number;
}

uint64_t Call::size(size_t at) const {
  const double found = number(at);
  // NaN fails the first comparison.
  if (!(found >= 0) || found > 9007199254740991.0 || found != static_cast<double>(static_cast<uint64_t>(found))) {
    throw wrong(at, "a whole number from 0 to 2^53 - 1");
  }
  return static_cast<uint64_t>(found);
}

int Call::fd(size_t at) const {
  const uint64_t found = size(at);
  if (found > INT32_MAX) throw wrong(at, "a file descriptor");
  return static_cast<int>(found);
}

bool Call::boolean(size_t at) const {
  bool truth = false;
  if (napi_get_value_bool(env_, value(at), &truth) != napi_ok) throw wrong(at, "a boolean");
  return truth;
}

std::string Call::text(size_t at) const {
  size_t length = 0;
  if (napi_get_value_string_utf8(env_, value(at), nullptr, 0, &length) != napi_ok) throw wrong(at, "a string");
  std::string text(length, '\0');
  check(napi_get_value_string_utf8(env_, value(at), text.data(), length + 1, &length));
  return text;
}

// The length is in elements.
std::span<std::byte> Call::typed_array(size_t at, napi_typedarray_type expected, const char* name) const {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env_, value(at), &type, &length, &data, nullptr, nullptr) != napi_ok || type != expected) {
    throw wrong(at, name);
  }
  return {static_cast<std::byte*>(data), length};
}

std::span<const std::byte> Call::bytes(size_t at) const { return typed_array(at, napi_uint8_array, "a Uint8Array"); }

std::span<double> Call::doubles(size_t at) const {
  const std::span<std::byte> array = typed_array(at, napi_float64_array, "a Float64Array");
  return {reinterpret_cast<double*>(array.data()), array.size()};
}

std::span<uint32_t> Call::words(size_t at) const {
  const std::span<std::byte> array = typed_array(at, napi_uint32_array, "a Uint32Array");
  return {reinterpret_cast<uint32_t*>(array.data()), array.size()};
}

napi_value Call::function(size_t at) const {
  napi_valuetype type = napi_undefined;
  check(napi_typeof(env_, value(at), &type));
  if (type != napi_function) throw wrong(at, "a function");
  return value(at);
}

bool Call::is_null(size_t at) const {
  napi_valuetype type = napi_undefined;
  check(napi_typeof(env_, value(at), &type));
  return type == napi_null;
}

void throw_to_javascript(napi_env env) noexcept {
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending) return;
  try {
    try {
      throw;
    } catch (const Failure& failure) {
      throw_failure(env, failure);
    } catch (const std::bad_alloc&) {
      throw_failure(env, Failure(ErrorCode::kOutOfMemory, "the process heap has no room for metadata"));
    } catch (const EngineError& error) {
      throw_failure(env, Failure(ErrorCode::kSystem, "Node-API status " + std::to_string(error.status)));
    } catch (const std::exception& error) {
      throw_failure(env, Failure(ErrorCode::kSystem, error.what()));
    }
  } catch (...) {
    // The error itself could not be built (the environment is ending, or no memory is left).
    napi_throw_error(env, "system", "nautilus: an error occurred while another one was being reported");
  }
}

}  // namespace nautilus
