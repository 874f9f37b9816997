// Refuses a memfd that can still shrink: a peer that cuts it would end this process with SIGBUS.
#include "segment/mapped_region.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "os/failure.h"
#include "segment/inspect.h"
#include "segment/platform.h"
#include "segment/read_only_guard.h"

namespace nautilus {

std::shared_ptr<MappedRegion> MappedRegion::map(int fd, const MapRequest& request) {
  const Inspection found = inspect_descriptor(fd);
  const std::string what = "mapping descriptor " + std::to_string(fd) + " of " + std::to_string(found.bytes) + " bytes";
  if (!found.is_regular || found.bytes == 0) {
    throw Failure(ErrorCode::kInvalidArgument, what + ": not a segment (no shared memory or file, or empty)");
  }
  if (request.prefault && !request.writable) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": prefault of a read-only mapping would charge its reader for the owner's pages");
  }
  if (!found.sealed_shrink && !request.allow_unsealed && is_anonymous_memory(fd)) {
    throw Failure(ErrorCode::kInvalidArgument,
                  what + ": not sealed against shrinking, so its maker could end this process with SIGBUS; "
                         "set allowUnsealed to accept that");
  }
  const int protection = request.writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* mapped = ::mmap(nullptr, found.bytes, protection, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    const int error_number = errno;
    throw system_failure("mmap", error_number,
                         what + (request.writable && (error_number == EACCES || error_number == EPERM)
                                     ? " for writing (opened read-only, or sealed against new writers)"
                                     : ""));
  }
  auto region = std::make_shared<MappedRegion>(static_cast<std::byte*>(mapped), found.bytes, request.writable);
  if (request.lock) region->lock_reason_ = lock_pages(region->base_, region->bytes_, request.prefault);
  if (request.prefault) prefault_pages(region->base_, region->bytes_);
  return region;
}

MappedRegion::MappedRegion(std::byte* base, size_t bytes, bool writable, std::string_view file)
    : base_(base), bytes_(bytes), writable_(writable), guarded_(!writable || !file.empty()) {
  if (!guarded_) return;
  if (file.empty()) {
    guard_read_only(base_, bytes_);
  } else {
    guard_file(base_, bytes_, file);
  }
}

MappedRegion::~MappedRegion() { unmap(); }

bool MappedRegion::is_closed() const noexcept {
  const std::lock_guard guard(lock_);
  return closed_;
}

void MappedRegion::close() noexcept {
  const std::lock_guard guard(lock_);
  closed_ = true;
  if (pins_ == 0) unmap();
}

void MappedRegion::pin() noexcept {
  const std::lock_guard guard(lock_);
  ++pins_;
}

void MappedRegion::unpin() noexcept {
  const std::lock_guard guard(lock_);
  --pins_;
  if (closed_ && pins_ == 0) unmap();
}

void MappedRegion::unmap() noexcept {
  std::byte* base = std::exchange(base_, nullptr);
  if (base == nullptr) return;
  if (guarded_) unguard(base);
  ::munmap(base, bytes_);
}

}  // namespace nautilus
