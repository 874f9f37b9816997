// Memory that the Neural Engine reads in place: an IOSurface of Float16 elements, behind a pixel buffer. It is born so;
// no other memory can become one. Rows may be padded, and whoever reads or writes elements goes by bytes_per_row().
#pragma once

#import <CoreVideo/CoreVideo.h>
#import <IOSurface/IOSurface.h>

#include <memory>
#include <string>

#include "device/device.h"

namespace nautilus {

constexpr uint64_t kElementBytes = 2;  // Float16, the one type of element that a surface can have for Core ML

class SurfaceBuffer final : public DeviceBuffer {
 public:
  // `owner` is only compared, and kept alive. Null, and `why`, when the system makes no such surface.
  static std::unique_ptr<SurfaceBuffer> create(std::shared_ptr<const void> owner, uint64_t columns, uint64_t rows,
                                               std::string& why);
  // At least so many bytes in a row without padding anywhere, so that they are plain memory to the host.
  static std::unique_ptr<SurfaceBuffer> create_flat(std::shared_ptr<const void> owner, uint64_t bytes,
                                                    std::string& why);
  static uint64_t most_flat_bytes();
  ~SurfaceBuffer() override;
  SurfaceBuffer(const SurfaceBuffer&) = delete;
  SurfaceBuffer& operator=(const SurfaceBuffer&) = delete;

  uint64_t bytes() const noexcept override { return bytes_; }
  bool is_shared() const noexcept override { return reason_.empty(); }
  const std::string& reason() const noexcept override { return reason_; }
  bool is_writable() const noexcept override { return is_writable_; }
  const void* owner() const noexcept override { return owner_.get(); }
  // The Neural Engine sees what was written before the last synchronise().
  std::byte* host_address() const noexcept override {
    return static_cast<std::byte*>(IOSurfaceGetBaseAddress(surface_));
  }
  Place place(uint64_t offset) const noexcept override { return {IOSurfaceGetID(surface_), offset, false}; }

  // Marks the bytes as a copy of others.
  void become_copy(std::span<const std::byte> original, bool is_writable, std::string reason);
  // Between the host's accesses and those of a device, in either order. Not cheap (IOSurfaceRef.h).
  void synchronise() const noexcept;

  uint64_t columns() const noexcept { return columns_; }
  uint64_t rows() const noexcept { return rows_; }
  uint64_t bytes_per_row() const noexcept { return IOSurfaceGetBytesPerRow(surface_); }
  CVPixelBufferRef pixels() const noexcept { return pixels_; }

 private:
  SurfaceBuffer(std::shared_ptr<const void> owner, CVPixelBufferRef pixels, uint64_t columns, uint64_t rows);

  std::shared_ptr<const void> owner_;
  CVPixelBufferRef pixels_;
  IOSurfaceRef surface_;  // of the pixel buffer, and as long there
  uint64_t columns_;
  uint64_t rows_;
  uint64_t bytes_;
  bool is_writable_ = true;
  std::string reason_;
};

}  // namespace nautilus
