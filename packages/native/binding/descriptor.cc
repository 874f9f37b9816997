// Descriptors cross as numbers; the environment remembers which of them JavaScript owns.
#include <fcntl.h>

#include <cerrno>

#include "binding/environment.h"
#include "binding/functions.h"
#include "binding/values.h"
#include "segment/inspect.h"
#include "segment/platform.h"

namespace nautilus {

napi_value set_error_factory(const Call& call) {
  Environment::require(call.env()).set_error_factory(call.function(0));
  return undefined_js();
}

napi_value descriptor_adopt(const Call& call) {
  Environment::require(call.env()).adopt(call.fd(0));
  return undefined_js();
}

// Also of a descriptor that another thread of this process owns, and keeps.
napi_value descriptor_duplicate(const Call& call) {
  const int fd = call.fd(0);
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw system_failure("fcntl", errno, "descriptor " + std::to_string(fd));
  return to_js(call.env(), Environment::require(call.env()).give(UniqueDescriptor(copy)));
}

napi_value descriptor_close(const Call& call) {
  Environment::require(call.env()).close(call.fd(0));
  return undefined_js();
}

napi_value descriptor_inspect(const Call& call) {
  const Inspection found = inspect_descriptor(call.fd(0));
  return ObjectBuilder(call.env())
      .set("device", found.device)
      .set("inode", found.inode)
      .set("bytes", found.bytes)
      .set("writable", found.writable)
      .set("sealedShrink", found.sealed_shrink)
      .set("sealedGrow", found.sealed_grow)
      .set("sealedWrite", found.sealed_write)
      .done();
}

napi_value descriptor_reopen_read_only(const Call& call) {
  return to_js(call.env(), Environment::require(call.env()).give(reopen_read_only(call.fd(0))));
}

napi_value descriptor_seal_future_writes(const Call& call) {
  const std::optional<std::string> reason = seal_future_writes(call.fd(0));
  return ObjectBuilder(call.env()).set("sealed", !reason).set("reason", reason).done();
}

}  // namespace nautilus
