// The one table from errno to code.
#include "os/failure.h"

#include <cerrno>
#include <system_error>

namespace nautilus {

Failure::Failure(ErrorCode code, const std::string& message, std::optional<KernelError> kernel)
    : std::runtime_error(message), code_(code), kernel_(std::move(kernel)) {}

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kClosed: return "closed";
    case ErrorCode::kOutOfMemory: return "out_of_memory";
    case ErrorCode::kStorageFull: return "storage_full";
    case ErrorCode::kDescriptorsExhausted: return "descriptors_exhausted";
    case ErrorCode::kPermissionDenied: return "permission_denied";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kAddressInUse: return "address_in_use";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kTooLarge: return "too_large";
    case ErrorCode::kBackpressure: return "backpressure";
    case ErrorCode::kUnknownBlock: return "unknown_block";
    case ErrorCode::kOrderViolation: return "order_violation";
    case ErrorCode::kDeviceLost: return "device_lost";
    case ErrorCode::kDeviceFailed: return "device_failed";
    case ErrorCode::kSystem: return "system";
  }
  return "system";
}

ErrorCode code_of_errno(int error_number) noexcept {
  switch (error_number) {
    case EINVAL: return ErrorCode::kInvalidArgument;
    case EBADF: return ErrorCode::kClosed;
    case EPIPE: return ErrorCode::kClosed;
    case ECONNRESET: return ErrorCode::kClosed;
    case ENOMEM: return ErrorCode::kOutOfMemory;
    case ENOSPC: return ErrorCode::kStorageFull;
    case EDQUOT: return ErrorCode::kStorageFull;
    case EMFILE: return ErrorCode::kDescriptorsExhausted;
    case ENFILE: return ErrorCode::kDescriptorsExhausted;
    case ETOOMANYREFS: return ErrorCode::kDescriptorsExhausted;
    case EACCES: return ErrorCode::kPermissionDenied;
    case EPERM: return ErrorCode::kPermissionDenied;
    case ENOENT: return ErrorCode::kNotFound;
    case ECONNREFUSED: return ErrorCode::kNotFound;  // a socket file that nobody serves
    case EADDRINUSE: return ErrorCode::kAddressInUse;
    case EEXIST: return ErrorCode::kAddressInUse;
    case ENOSYS: return ErrorCode::kUnsupported;
    case EOPNOTSUPP: return ErrorCode::kUnsupported;
    case EFBIG: return ErrorCode::kTooLarge;
    case EAGAIN: return ErrorCode::kBackpressure;
    default: return ErrorCode::kSystem;
  }
}

std::string describe_errno(int error_number) {
  return std::generic_category().message(error_number) + " (errno " + std::to_string(error_number) + ")";
}

Failure system_failure(std::string_view syscall, int error_number, const std::string& what) {
  const std::string name(syscall);
  return Failure(code_of_errno(error_number), what + ": " + name + " failed: " + describe_errno(error_number),
                 KernelError{error_number, name});
}

}  // namespace nautilus
