// Memory of a Vulkan device, imported or born there, as one long range: a driver that allocates less at once than is
// asked for gets it in pieces. Made once for a buffer, and never for a block or an operation.
#pragma once

#include <span>

#include "device/vulkan/gpu.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

class VulkanMemory {
 public:
  // In place. Null, and `why`.
  static std::unique_ptr<VulkanMemory> import(std::shared_ptr<VulkanGpu> gpu, std::span<std::byte> memory,
                                              std::string& why);
  // In one piece, mapped, and zero. Null, and `why`.
  static std::unique_ptr<VulkanMemory> allocate(std::shared_ptr<VulkanGpu> gpu, uint64_t bytes, std::string& why);
  explicit VulkanMemory(std::shared_ptr<VulkanGpu> gpu) : gpu_(std::move(gpu)) {}
  // No operation uses it any more.
  ~VulkanMemory();
  VulkanMemory(const VulkanMemory&) = delete;
  VulkanMemory& operator=(const VulkanMemory&) = delete;

  uint64_t bytes() const noexcept { return bytes_; }
  uint64_t stretch_bytes() const noexcept { return stretch_bytes_; }
  std::byte* host_address() const noexcept { return host_; }
  // 0 on a device without addresses.
  uint64_t address(uint64_t offset) const noexcept {
    return pieces_[offset / stretch_bytes_].address + offset % stretch_bytes_;
  }
  // How far memory goes on behind an offset without the end of a piece.
  uint64_t room_behind(uint64_t offset) const noexcept { return stretch_bytes_ - offset % stretch_bytes_; }

 private:
  struct Piece {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    uint64_t address = 0;
  };

  bool create_buffer(Piece& piece, uint64_t bytes, bool is_imported, VkMemoryRequirements& needs, std::string& why);
  bool import_piece(std::span<std::byte> memory, std::string& why);
  // `next` is chained to the request. False: try another type.
  bool bind(Piece& piece, uint64_t bytes, uint32_t type, const void* next, std::string& why);
  void destroy(Piece& piece) noexcept;

  std::shared_ptr<VulkanGpu> gpu_;
  std::vector<Piece> pieces_;
  uint64_t bytes_ = 0;
  uint64_t stretch_bytes_ = 1;
  std::byte* host_ = nullptr;
};

}  // namespace nautilus

#endif
