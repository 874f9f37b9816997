// An operation on buffers as commands on addresses: cut where pieces of memory end and where shaders' offsets do.
#pragma once

#include "device/vulkan/kernels.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

void record_fill(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory, uint64_t offset,
                 uint64_t bytes, uint8_t value);
void record_copy(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& target, uint64_t to,
                 const VulkanMemory& source, uint64_t from, uint64_t bytes);
void record_moves(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory,
                  std::span<const BlockMove> moves);
// False, and `why`, when the range lies in more pieces than there are places for results.
bool record_checksum(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory, uint64_t offset,
                     uint64_t bytes, uint64_t results, std::vector<ChecksumPart>& parts, std::string& why);

}  // namespace nautilus

#endif
