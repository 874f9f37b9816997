// What goes wrong in this package: a code that callers act on, a message with the numbers, and the kernel's
// errno when it was the kernel. Thrown below, turned into a NativeError in binding/.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nautilus {

enum class ErrorCode {
  kInvalidArgument,
  kClosed,
  kOutOfMemory,
  kStorageFull,
  kDescriptorsExhausted,
  kPermissionDenied,
  kNotFound,
  kAddressInUse,
  kUnsupported,
  kTooLarge,
  kBackpressure,
  kUnknownBlock,
  kOrderViolation,
  kDeviceLost,
  kDeviceFailed,
  kSystem,
};

// The name in ts/errors.ts.
std::string_view name_of(ErrorCode code) noexcept;

struct KernelError {
  int number;
  std::string syscall;
};

class Failure : public std::runtime_error {
 public:
  Failure(ErrorCode code, const std::string& message, std::optional<KernelError> kernel = std::nullopt);

  ErrorCode code() const noexcept { return code_; }
  const std::optional<KernelError>& kernel() const noexcept { return kernel_; }

 private:
  ErrorCode code_;
  std::optional<KernelError> kernel_;
};

// A failed syscall: the code follows from the errno, `what` says what was being done to what.
Failure system_failure(std::string_view syscall, int error_number, const std::string& what);
ErrorCode code_of_errno(int error_number) noexcept;
// "EACCES: Permission denied"
std::string describe_errno(int error_number);

}  // namespace nautilus
