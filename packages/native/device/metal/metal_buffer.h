// Memory that a Metal device reaches: one MTLBuffer for the life of the import, or several that overlap where the
// segment is longer than the driver's longest. Blocks are offsets into them and cost the driver nothing.
#pragma once

#import <Metal/Metal.h>

#include <memory>
#include <string>
#include <vector>

#include "device/apple/views.h"
#include "device/device.h"
#include "device/metal/metal_state.h"

namespace nautilus {

class MetalBuffer final : public DeviceBuffer {
 public:
  static std::unique_ptr<MetalBuffer> import(const std::shared_ptr<MetalState>& state, std::span<std::byte> memory,
                                             bool is_writable, std::string& why);
  static std::unique_ptr<MetalBuffer> born(const std::shared_ptr<MetalState>& state, uint64_t bytes,
                                           std::string& why);
  ~MetalBuffer() override;

  uint64_t bytes() const noexcept override { return bytes_; }
  bool is_shared() const noexcept override { return reason_.empty(); }
  const std::string& reason() const noexcept override { return reason_; }
  bool is_writable() const noexcept override { return is_writable_; }
  const void* owner() const noexcept override { return state_.get(); }
  std::byte* host_address() const noexcept override { return host_address_; }
  Place place(uint64_t offset) const noexcept override;
  uint64_t stretch_bytes() const noexcept override { return layout_.stretch_bytes(); }

  const Views& layout() const noexcept { return layout_; }
  id<MTLBuffer> view(uint64_t number) const { return views_[number]; }
  // Under the lock of the state: the newest submission that uses this buffer.
  uint64_t last_ticket = 0;

 private:
  MetalBuffer(std::shared_ptr<MetalState> state, std::vector<id<MTLBuffer>> views, Views layout, uint64_t bytes);

  std::shared_ptr<MetalState> state_;
  std::vector<id<MTLBuffer>> views_;
  std::vector<uint64_t> addresses_;  // of the views, as the GPU sees them
  Views layout_;
  uint64_t bytes_;
  std::byte* host_address_;
  bool is_writable_ = true;
  std::string reason_;
  size_t residency_number_;
};

}  // namespace nautilus
