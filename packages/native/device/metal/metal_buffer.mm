// No Mac has compiled or run this yet; only the syntax check has seen it. Wrapping memory, and the ways in which Metal
// may decline: an answer of nil, a buffer without bytes (hosted runners), or one that lies elsewhere.
#import "device/metal/metal_buffer.h"

#include <cstring>

#include "device/apple/system_limits.h"

namespace nautilus {
namespace {

constexpr MTLResourceOptions kShared = MTLResourceStorageModeShared;

// Why not; empty when all views were made.
std::string wrap(id<MTLDevice> device, std::span<std::byte> memory, const Views& layout,
                 std::vector<id<MTLBuffer>>& views) {
  for (uint64_t number = 0; number < layout.count(); ++number) {
    const Views::View view = layout.at(number);
    std::byte* const base = memory.data() + view.first;
    id<MTLBuffer> buffer = [device newBufferWithBytesNoCopy:base length:view.bytes options:kShared deallocator:nil];
    if (buffer == nil) {
      return "copied: Metal does not wrap these " + std::to_string(view.bytes) +
             " bytes; they must lie in one region of virtual memory";
    }
    if (buffer.length != view.bytes || buffer.contents != base) {
      return "copied: Metal wrapped " + std::to_string(buffer.length) + " bytes of " + std::to_string(view.bytes) +
             (buffer.contents == base ? "" : ", at another address");
    }
    views.push_back(buffer);
  }
  return "";
}

std::string why_not_aligned(std::span<std::byte> memory, uint64_t page_bytes) {
  const auto base = reinterpret_cast<uintptr_t>(memory.data());
  if (base % page_bytes == 0 && memory.size() % page_bytes == 0) return "";
  return "copied: base and length must be multiples of " + std::to_string(page_bytes) +
         " bytes, a page; the base lies " + std::to_string(base % page_bytes) + " behind one and the length is " +
         std::to_string(memory.size());
}

}  // namespace

MetalBuffer::MetalBuffer(std::shared_ptr<MetalState> state, std::vector<id<MTLBuffer>> views, Views layout,
                         uint64_t bytes)
    : state_(std::move(state)), views_(std::move(views)), layout_(layout), bytes_(bytes) {
  host_address_ = static_cast<std::byte*>(views_.front().contents);
  for (id<MTLBuffer> view : views_) addresses_.push_back(view.gpuAddress);
  std::string not_resident;  // slower, not wrong: nothing that the holder of the buffer has to know
  residency_number_ = state_->residency.add(views_, bytes_, not_resident);
}

MetalBuffer::~MetalBuffer() {
  uint64_t ticket;
  {
    const std::lock_guard guard(state_->lock);
    ticket = last_ticket;
  }
  while (!state_->wait_for(ticket, 1000)) {
  }
  state_->residency.remove(residency_number_, views_);
}

DeviceBuffer::Place MetalBuffer::place(uint64_t offset) const noexcept {
  const uint64_t view = layout_.holding(offset);
  return {addresses_[view], offset - layout_.at(view).first, true};
}

std::unique_ptr<MetalBuffer> MetalBuffer::import(const std::shared_ptr<MetalState>& state,
                                                 std::span<std::byte> memory, bool is_writable, std::string& why) {
  @autoreleasepool {
    if (memory.empty()) {
      why = "no bytes to import";
      return nullptr;
    }
    const uint64_t page_bytes = vm_page_bytes();
    std::string reason = why_not_aligned(memory, page_bytes);
    std::vector<id<MTLBuffer>> views;
    const Views layout(memory.size(), state->device.maxBufferLength, page_bytes);
    if (reason.empty()) reason = wrap(state->device, memory, layout, views);
    std::unique_ptr<MetalBuffer> buffer;
    if (reason.empty()) {
      buffer.reset(new MetalBuffer(state, std::move(views), layout, memory.size()));
    } else {
      buffer = born(state, memory.size(), why);
      if (buffer == nullptr) {
        why = reason + "; and " + why;
        return nullptr;
      }
      std::memcpy(buffer->host_address_, memory.data(), memory.size());
      buffer->reason_ = reason;
    }
    buffer->is_writable_ = is_writable;
    return buffer;
  }
}

std::unique_ptr<MetalBuffer> MetalBuffer::born(const std::shared_ptr<MetalState>& state, uint64_t bytes,
                                               std::string& why) {
  @autoreleasepool {
    if (bytes == 0) {
      why = "no bytes to allocate";
      return nullptr;
    }
    const uint64_t longest = state->device.maxBufferLength;
    if (bytes > longest) {
      why = std::to_string(bytes) + " bytes are more than the driver's longest buffer, " + std::to_string(longest);
      return nullptr;
    }
    const uint64_t left = state->residency.left_bytes();
    if (bytes > left) {
      why = "no room: " + std::to_string(bytes) + " bytes, and " + std::to_string(left) +
            " are left of the working set of all processes";
      return nullptr;
    }
    id<MTLBuffer> buffer = [state->device newBufferWithLength:bytes options:kShared];
    if (buffer == nil || buffer.length < bytes) {
      why = "no room: Metal gave no buffer of " + std::to_string(bytes) + " bytes";
      return nullptr;
    }
    // Its bytes are cleared by Metal.
    return std::unique_ptr<MetalBuffer>(
        new MetalBuffer(state, {buffer}, Views(bytes, longest, vm_page_bytes()), bytes));
  }
}

}  // namespace nautilus
