// The size is asked for before the mapping is made, which the kernel does not check: a range beyond the file's end can
// be mapped, and every access to it is a SIGBUS.
#include "segment/file_mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/failure.h"
#include "segment/platform.h"
#include "segment/segment.h"

namespace nautilus {
namespace {

UniqueDescriptor open_file(const std::string& path, const std::string& what) {
  // O_NONBLOCK: opening a FIFO must not wait for its other end.
  UniqueDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) throw system_failure("open", errno, what);
  return file;
}

uint64_t size_of(int fd, const std::string& what) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) throw system_failure("fstat", errno, what);
  if (S_ISDIR(facts.st_mode)) {
    throw Failure(ErrorCode::kInvalidArgument, what + ": a directory; name a regular file in it");
  }
  if (!S_ISREG(facts.st_mode)) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": no regular file but a device, socket or FIFO; only regular files are mapped");
  }
  if (facts.st_size == 0) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": empty, or of a file system that makes its bytes on reading, as /proc does; "
                         "a segment needs at least one byte");
  }
  return static_cast<uint64_t>(facts.st_size);
}

uint64_t check_range(const FileMapRequest& request, uint64_t file_bytes, const std::string& what) {
  if (request.offset % page_bytes() != 0) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": offset " + std::to_string(request.offset) + " is not a multiple of the page of " +
                      std::to_string(page_bytes()) + " bytes; map from the page before and view from there");
  }
  if (request.offset >= file_bytes) {
    throw Failure(ErrorCode::kInvalidArgument, what + ": offset " + std::to_string(request.offset) +
                                                   " is not inside the " + std::to_string(file_bytes) +
                                                   " bytes of the file");
  }
  const uint64_t bytes = request.bytes.value_or(file_bytes - request.offset);
  if (bytes == 0 || bytes > file_bytes - request.offset) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": " + std::to_string(bytes) + " bytes asked at offset " + std::to_string(request.offset) +
                      ", from 1 to " + std::to_string(file_bytes - request.offset) + " are there");
  }
  return bytes;
}

Failure refused_by_mmap(int error_number, bool is_private, const std::string& what) {
  switch (error_number) {
    case ENODEV:
      return {ErrorCode::kUnsupported, what + ": its file system cannot map files", KernelError{ENODEV, "mmap"}};
    case ENOMEM: {
      const char* remedy = is_private ? " (private: counted as memory that may be written; read-only is not)" : "";
      return system_failure("mmap", error_number, what + remedy);
    }
    default: return system_failure("mmap", error_number, what);
  }
}

}  // namespace

FileMapping map_file(const FileMapRequest& request) {
  const std::string what = "file " + request.path;
  const UniqueDescriptor file = open_file(request.path, what);
  FileMapping mapping;
  mapping.file_bytes = size_of(file.get(), what);
  const uint64_t bytes = check_range(request, mapping.file_bytes, what);
  void* mapped = ::mmap(nullptr, bytes, request.is_private ? PROT_READ | PROT_WRITE : PROT_READ,
                        request.is_private ? MAP_PRIVATE : MAP_SHARED, file.get(), static_cast<off_t>(request.offset));
  if (mapped == MAP_FAILED) throw refused_by_mmap(errno, request.is_private, what);
  mapping.region =
      std::make_shared<MappedRegion>(static_cast<std::byte*>(mapped), bytes, request.is_private, request.path);
  if (!read_seals(file.get()).shrink) {
    mapping.shrink_risk =
        "whoever may write the file may cut it short, and an access beyond its new end ends this process with SIGBUS; "
        "let a new file take its place by rename instead";
  }
  return mapping;
}

}  // namespace nautilus
