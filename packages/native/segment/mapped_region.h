// A mapped segment. Closing it unmaps at once unless an arena still writes its ledger there: then the last
// such user unmaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace nautilus {

struct MapRequest {
  bool writable = false;
  bool prefault = false;
  bool lock = false;
  bool allow_unsealed = false;
};

class MappedRegion {
 public:
  // Maps the whole segment; the descriptor is not kept.
  static std::shared_ptr<MappedRegion> map(int fd, const MapRequest& request);
  // Takes the memory over. A fault in it is reported with the file's path, where there is one.
  MappedRegion(std::byte* base, size_t bytes, bool writable, std::string_view file = {});
  ~MappedRegion();
  MappedRegion(const MappedRegion&) = delete;
  MappedRegion& operator=(const MappedRegion&) = delete;

  std::byte* base() const noexcept { return base_; }
  size_t bytes() const noexcept { return bytes_; }
  bool is_writable() const noexcept { return writable_; }
  bool is_closed() const noexcept;
  const std::optional<std::string>& lock_reason() const noexcept { return lock_reason_; }

  // Any thread: an arena that several share ends with the last of them.
  void close() noexcept;
  void pin() noexcept;
  void unpin() noexcept;

 private:
  void unmap() noexcept;  // under the lock

  std::byte* base_;
  size_t bytes_;
  bool writable_;
  bool guarded_;
  mutable std::mutex lock_;
  bool closed_ = false;
  size_t pins_ = 0;
  std::optional<std::string> lock_reason_;
};

}  // namespace nautilus
