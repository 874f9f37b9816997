// Copies of one command buffer run at once unless a barrier stands between them.
#include "device/vulkan/record.h"

#if NAUTILUS_HAS_VULKAN

#include <algorithm>

#include "device/move_steps.h"

namespace nautilus {
namespace {

// How much from an offset on one dispatch can cover.
uint64_t part_behind(const VulkanMemory& memory, uint64_t offset, uint64_t bytes) {
  return std::min({bytes, memory.room_behind(offset), VulkanKernels::kMostBytes});
}

void record_move(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory,
                 const BlockMove& move) {
  const VulkanMemory& scratch = kernels.scratch();
  bool is_first = true;
  for_each_move_step(move, scratch.bytes(), [&](const CopyStep& step) {
    if (!is_first) kernels.barrier(commands);
    is_first = false;
    const bool is_in = step.through == CopyStep::Through::kIntoScratch;
    const bool is_out = step.through == CopyStep::Through::kOutOfScratch;
    record_copy(kernels, commands, is_in ? scratch : memory, step.to, is_out ? scratch : memory, step.from, step.bytes);
  });
}

}  // namespace

void record_fill(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory, uint64_t offset,
                 uint64_t bytes, uint8_t value) {
  while (bytes > 0) {
    const uint64_t part = part_behind(memory, offset, bytes);
    kernels.fill(commands, memory.address(offset), part, value);
    offset += part;
    bytes -= part;
  }
}

void record_copy(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& target, uint64_t to,
                 const VulkanMemory& source, uint64_t from, uint64_t bytes) {
  while (bytes > 0) {
    const uint64_t part = part_behind(target, to, part_behind(source, from, bytes));
    kernels.copy(commands, target.address(to), source.address(from), part);
    to += part;
    from += part;
    bytes -= part;
  }
}

void record_moves(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory,
                  std::span<const BlockMove> moves) {
  for (const BlockMove& move : moves) {
    if (&move != moves.data()) kernels.barrier(commands);
    record_move(kernels, commands, memory, move);
  }
}

bool record_checksum(const VulkanKernels& kernels, VkCommandBuffer commands, const VulkanMemory& memory, uint64_t offset,
                     uint64_t bytes, uint64_t results, std::vector<ChecksumPart>& parts, std::string& why) {
  uint32_t count = 0;
  for (uint64_t at = 0; at < bytes; ++count) at += part_behind(memory, offset + at, bytes - at);
  if (count > VulkanKernels::kMostGroups) {
    why = "target: lies in " + std::to_string(count) + " pieces of memory, and one checksum covers " +
          std::to_string(VulkanKernels::kMostGroups) + "; ask for it in parts";
    return false;
  }
  while (bytes > 0) {
    const uint64_t part = part_behind(memory, offset, bytes);
    parts.push_back(
        kernels.checksum(commands, memory.address(offset), part, results, VulkanKernels::kMostGroups / count));
    results += parts.back().groups * sizeof(uint32_t);
    offset += part;
    bytes -= part;
  }
  return true;
}

}  // namespace nautilus

#endif
