// What belongs to one JavaScript environment (the main thread or one worker): every environment loads the addon
// for itself, and what it still holds is closed when it ends.
#pragma once

#include <node_api.h>

#include <memory>
#include <unordered_set>

#include "binding/poll.h"
#include "os/unique_descriptor.h"

namespace nautilus {

class Environment {
 public:
  // Null while the environment is ending.
  static Environment* of(napi_env env) noexcept;
  // Throws when the environment is ending.
  static Environment& require(napi_env env);
  static void create(napi_env env);
  ~Environment();

  // Null before setErrorFactory.
  napi_value error_factory() const noexcept;
  void set_error_factory(napi_value factory);

  // The number of a descriptor that JavaScript owns from now on.
  int give(UniqueDescriptor descriptor);
  void adopt(int fd);
  // Closes a descriptor that was given out; anything else is left alone.
  void close(int fd) noexcept;

  PollSet& polls() noexcept { return *polls_; }

 private:
  explicit Environment(napi_env env);

  napi_env env_;
  napi_ref error_factory_ = nullptr;
  std::unordered_set<int> owned_;
  std::shared_ptr<PollSet> polls_;
};

}  // namespace nautilus
