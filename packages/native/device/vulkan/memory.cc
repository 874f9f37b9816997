// Only host-coherent memory is used, so nothing is ever flushed or invalidated: Vulkan promises a host-visible coherent
// type for every buffer, and an import that would not be coherent is refused and becomes a copy.
#include "device/vulkan/memory.h"

#if NAUTILUS_HAS_VULKAN

#include <algorithm>
#include <cstring>

namespace nautilus {
namespace {

constexpr VkMemoryPropertyFlags kCoherent = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkExternalMemoryHandleTypeFlagBits kHostMemory = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;

std::string refusal_of_alignment(std::span<std::byte> memory, uint64_t alignment) {
  if (reinterpret_cast<uintptr_t>(memory.data()) % alignment != 0) {
    return "the address is not aligned to " + std::to_string(alignment) + " bytes";
  }
  if (memory.size() % alignment == 0) return "";
  return "the length of " + std::to_string(memory.size()) + " is no multiple of " + std::to_string(alignment) + " bytes";
}

}  // namespace

std::unique_ptr<VulkanMemory> VulkanMemory::import(std::shared_ptr<VulkanGpu> gpu, std::span<std::byte> memory,
                                                   std::string& why) {
  why = gpu->import_refusal();
  if (why.empty()) why = refusal_of_alignment(memory, gpu->limits().import_alignment_bytes);
  if (!why.empty()) return nullptr;
  auto made = std::make_unique<VulkanMemory>(gpu);
  made->bytes_ = memory.size();
  made->host_ = memory.data();
  made->stretch_bytes_ = std::min<uint64_t>(memory.size(), gpu->most_piece_bytes());
  for (std::span<std::byte> left = memory; !left.empty();) {
    const size_t bytes = std::min<uint64_t>(left.size(), made->stretch_bytes_);
    if (!made->import_piece(left.first(bytes), why)) return nullptr;
    left = left.subspan(bytes);
  }
  return made;
}

std::unique_ptr<VulkanMemory> VulkanMemory::allocate(std::shared_ptr<VulkanGpu> gpu, uint64_t bytes, std::string& why) {
  if (bytes == 0 || bytes > gpu->limits().most_buffer_bytes) {
    why = "the device makes buffers of 1 to " + std::to_string(gpu->limits().most_buffer_bytes) + " bytes, not " +
          std::to_string(bytes);
    return nullptr;
  }
  if (gpu->faults().strikes(InjectedFault::kOutOfMemoryAtAllocate)) {
    why = gpu->failure(VK_ERROR_OUT_OF_DEVICE_MEMORY, "vkAllocateMemory").reason;
    return nullptr;
  }
  auto made = std::make_unique<VulkanMemory>(gpu);
  made->bytes_ = bytes;
  made->stretch_bytes_ = bytes;
  Piece& piece = made->pieces_.emplace_back();
  VkMemoryRequirements needs{};
  // Shaders read whole words: the last one must exist.
  if (!made->create_buffer(piece, (bytes + 15) / 16 * 16, false, needs, why)) return nullptr;
  const VkMemoryPropertyFlags wished = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  why = "the driver has no host-coherent memory for buffers";
  for (const uint32_t type : gpu->memory_types(needs.memoryTypeBits, kCoherent, wished)) {
    if (!made->bind(piece, needs.size, type, nullptr, why)) continue;
    void* mapped = nullptr;
    const VkResult result = gpu->vk().MapMemory(gpu->device(), piece.memory, 0, VK_WHOLE_SIZE, 0, &mapped);
    if (result != VK_SUCCESS) {
      why = gpu->failure(result, "vkMapMemory").reason;
      return nullptr;
    }
    made->host_ = static_cast<std::byte*>(mapped);
    // Drivers promise no content: it could be what another process has left.
    std::memset(mapped, 0, bytes);
    why.clear();
    return made;
  }
  return nullptr;
}

VulkanMemory::~VulkanMemory() {
  for (Piece& piece : pieces_) destroy(piece);
}

void VulkanMemory::destroy(Piece& piece) noexcept {
  gpu_->vk().DestroyBuffer(gpu_->device(), piece.buffer, nullptr);
  gpu_->vk().FreeMemory(gpu_->device(), piece.memory, nullptr);
}

bool VulkanMemory::create_buffer(Piece& piece, uint64_t bytes, bool is_imported, VkMemoryRequirements& needs,
                                 std::string& why) {
  VkExternalMemoryBufferCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO;
  external.handleTypes = kHostMemory;
  VkBufferCreateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  request.pNext = is_imported ? &external : nullptr;
  request.size = bytes;
  request.usage =
      VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | (gpu_->has_addresses() ? VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT : 0);
  const VkResult result = gpu_->vk().CreateBuffer(gpu_->device(), &request, nullptr, &piece.buffer);
  if (result != VK_SUCCESS) {
    piece.buffer = VK_NULL_HANDLE;
    why = gpu_->failure(result, "vkCreateBuffer").reason;
    return false;
  }
  gpu_->vk().GetBufferMemoryRequirements(gpu_->device(), piece.buffer, &needs);
  return true;
}

bool VulkanMemory::import_piece(std::span<std::byte> memory, std::string& why) {
  VkMemoryHostPointerPropertiesEXT pointer{};
  pointer.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
  const VkResult result =
      gpu_->vk().GetMemoryHostPointerPropertiesEXT(gpu_->device(), kHostMemory, memory.data(), &pointer);
  if (result != VK_SUCCESS) {
    why = gpu_->failure(result, "vkGetMemoryHostPointerPropertiesEXT").reason;
    return false;
  }
  Piece& piece = pieces_.emplace_back();
  VkMemoryRequirements needs{};
  if (!create_buffer(piece, memory.size(), true, needs, why)) return false;
  if (needs.size > memory.size()) {
    why = "the driver needs " + std::to_string(needs.size) + " bytes for a buffer of " + std::to_string(memory.size());
    return false;
  }
  VkImportMemoryHostPointerInfoEXT import{};
  import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
  import.handleType = kHostMemory;
  import.pHostPointer = memory.data();
  VkMemoryDedicatedAllocateInfo dedicated{};
  dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
  dedicated.buffer = piece.buffer;
  if (gpu_->needs_dedicated_import()) import.pNext = &dedicated;
  why = "no host-coherent type of memory fits both this memory and buffers";
  const uint32_t allowed = needs.memoryTypeBits & pointer.memoryTypeBits;
  for (const uint32_t type : gpu_->memory_types(allowed, kCoherent, VK_MEMORY_PROPERTY_HOST_CACHED_BIT)) {
    if (bind(piece, memory.size(), type, &import, why)) {
      why.clear();
      return true;
    }
  }
  return false;
}

bool VulkanMemory::bind(Piece& piece, uint64_t bytes, uint32_t type, const void* next, std::string& why) {
  VkMemoryAllocateFlagsInfo flags{};
  flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
  flags.pNext = next;
  flags.flags = gpu_->has_addresses() ? VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT : 0;
  VkMemoryAllocateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  request.pNext = &flags;
  request.allocationSize = bytes;
  request.memoryTypeIndex = type;
  VkResult result = gpu_->vk().AllocateMemory(gpu_->device(), &request, nullptr, &piece.memory);
  if (result != VK_SUCCESS) {
    piece.memory = VK_NULL_HANDLE;
    why = gpu_->failure(result, "vkAllocateMemory").reason;
    return false;
  }
  result = gpu_->vk().BindBufferMemory(gpu_->device(), piece.buffer, piece.memory, 0);
  if (result != VK_SUCCESS) {
    // A buffer that failed to bind is bound to nothing; the memory goes with the piece.
    why = gpu_->failure(result, "vkBindBufferMemory").reason;
    gpu_->vk().FreeMemory(gpu_->device(), piece.memory, nullptr);
    piece.memory = VK_NULL_HANDLE;
    return false;
  }
  if (gpu_->has_addresses()) {
    VkBufferDeviceAddressInfo asked{};
    asked.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO;
    asked.buffer = piece.buffer;
    piece.address = gpu_->vk().GetBufferDeviceAddress(gpu_->device(), &asked);
  }
  return true;
}

}  // namespace nautilus

#endif
