// Kept as the addon's instance data, which Node deletes at the end of the environment.
#include "binding/environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "binding/call.h"

namespace nautilus {

Environment* Environment::of(napi_env env) noexcept {
  void* data = nullptr;
  return napi_get_instance_data(env, &data) == napi_ok ? static_cast<Environment*>(data) : nullptr;
}

Environment& Environment::require(napi_env env) {
  Environment* environment = of(env);
  if (environment == nullptr) throw Failure(ErrorCode::kClosed, "the JavaScript environment is ending");
  return *environment;
}

void Environment::create(napi_env env) {
  auto* environment = new Environment(env);
  check(napi_set_instance_data(
      env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr));
}

Environment::Environment(napi_env env) : env_(env), polls_(PollSet::create(env)) {}

Environment::~Environment() {
  if (error_factory_ != nullptr) napi_delete_reference(env_, error_factory_);
  for (const int fd : owned_) close_elsewhere(fd);
}

napi_value Environment::error_factory() const noexcept {
  napi_value factory = nullptr;
  if (error_factory_ == nullptr || napi_get_reference_value(env_, error_factory_, &factory) != napi_ok) return nullptr;
  return factory;
}

void Environment::set_error_factory(napi_value factory) {
  napi_ref created = nullptr;
  check(napi_create_reference(env_, factory, 1, &created));
  if (error_factory_ != nullptr) napi_delete_reference(env_, error_factory_);
  error_factory_ = created;
}

int Environment::give(UniqueDescriptor descriptor) {
  owned_.insert(descriptor.get());
  return descriptor.release();
}

void Environment::adopt(int fd) {
  if (owned_.contains(fd)) {
    throw Failure(ErrorCode::kInvalidArgument, "descriptor " + std::to_string(fd) + " has an owner already");
  }
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags < 0 || ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) {
    throw system_failure("fcntl", errno, "descriptor " + std::to_string(fd));
  }
  owned_.insert(fd);
}

void Environment::close(int fd) noexcept {
  if (owned_.erase(fd) == 1) close_elsewhere(fd);
}

}  // namespace nautilus
