// No Mac has compiled or run this yet; only the syntax check has seen it. Making surfaces and moving bytes into them.
#import "device/coreml/surface_buffer.h"

#import <Foundation/Foundation.h>

#include <cstring>

namespace nautilus {
namespace {

// Rows of 8 KiB and their doubles: multiples of every alignment of rows that is known.
constexpr uint64_t kLeastFlatColumns = 4096;

uint64_t most_columns() { return IOSurfaceGetPropertyMaximum(kIOSurfaceWidth); }
uint64_t most_rows() { return IOSurfaceGetPropertyMaximum(kIOSurfaceHeight); }

}  // namespace

SurfaceBuffer::SurfaceBuffer(std::shared_ptr<const void> owner, CVPixelBufferRef pixels, uint64_t columns,
                             uint64_t rows)
    : owner_(std::move(owner)), pixels_(pixels), surface_(CVPixelBufferGetIOSurface(pixels)), columns_(columns),
      rows_(rows), bytes_(IOSurfaceGetBytesPerRow(surface_) * rows) {
  IOSurfaceLock(surface_, 0, nullptr);
  std::memset(IOSurfaceGetBaseAddress(surface_), 0, bytes_);
  IOSurfaceUnlock(surface_, 0, nullptr);
}

SurfaceBuffer::~SurfaceBuffer() { CVPixelBufferRelease(pixels_); }

std::unique_ptr<SurfaceBuffer> SurfaceBuffer::create(std::shared_ptr<const void> owner, uint64_t columns,
                                                     uint64_t rows, std::string& why) {
  const std::string shape = std::to_string(columns) + " x " + std::to_string(rows) + " elements";
  if (columns == 0 || rows == 0 || columns > most_columns() || rows > most_rows()) {
    why = "no surface of " + shape + ": 1 x 1 to " + std::to_string(most_columns()) + " x " +
          std::to_string(most_rows()) + " are possible";
    return nullptr;
  }
  @autoreleasepool {
    NSDictionary* attributes = @{(__bridge NSString*)kCVPixelBufferIOSurfacePropertiesKey : @{}};
    CVPixelBufferRef pixels = nullptr;
    const CVReturn made = CVPixelBufferCreate(kCFAllocatorDefault, columns, rows, kCVPixelFormatType_OneComponent16Half,
                                              (__bridge CFDictionaryRef)attributes, &pixels);
    if (made != kCVReturnSuccess || pixels == nullptr) {
      why = "no room: no surface of " + shape + " (Core Video's code " + std::to_string(made) + ")";
      return nullptr;
    }
    if (CVPixelBufferGetIOSurface(pixels) == nullptr) {
      CVPixelBufferRelease(pixels);
      why = "Core Video made pixels without a surface";
      return nullptr;
    }
    return std::unique_ptr<SurfaceBuffer>(new SurfaceBuffer(std::move(owner), pixels, columns, rows));
  }
}

std::unique_ptr<SurfaceBuffer> SurfaceBuffer::create_flat(std::shared_ptr<const void> owner, uint64_t bytes,
                                                          std::string& why) {
  if (bytes == 0 || bytes > most_flat_bytes()) {
    why = "a buffer has 1 to " + std::to_string(most_flat_bytes()) + " bytes, not " + std::to_string(bytes);
    return nullptr;
  }
  uint64_t columns = kLeastFlatColumns;
  while (columns * kElementBytes * most_rows() < bytes) columns *= 2;
  const uint64_t row_bytes = columns * kElementBytes;
  auto buffer = create(std::move(owner), columns, (bytes + row_bytes - 1) / row_bytes, why);
  if (buffer == nullptr) return nullptr;
  if (buffer->bytes_per_row() != row_bytes) {
    why = "rows of " + std::to_string(row_bytes) + " bytes are padded to " +
          std::to_string(buffer->bytes_per_row()) + " here, so the surface is no plain memory";
    return nullptr;
  }
  buffer->bytes_ = bytes;
  return buffer;
}

uint64_t SurfaceBuffer::most_flat_bytes() {
  uint64_t columns = kLeastFlatColumns;
  if (columns > most_columns()) return 0;
  while (columns * 2 <= most_columns()) columns *= 2;
  return columns * kElementBytes * most_rows();
}

void SurfaceBuffer::become_copy(std::span<const std::byte> original, bool is_writable, std::string reason) {
  IOSurfaceLock(surface_, 0, nullptr);
  std::memcpy(host_address(), original.data(), original.size());
  IOSurfaceUnlock(surface_, 0, nullptr);
  is_writable_ = is_writable;
  reason_ = std::move(reason);
}

void SurfaceBuffer::synchronise() const noexcept {
  IOSurfaceLock(surface_, 0, nullptr);
  IOSurfaceUnlock(surface_, 0, nullptr);
}

}  // namespace nautilus
