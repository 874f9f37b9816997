// The shaders of a device, made once, and how a command buffer is told to run them over a range of addresses.
#pragma once

#include "device/vulkan/memory.h"

#if NAUTILUS_HAS_VULKAN

namespace nautilus {

// A range whose checksum comes as one register a group; all groups but the first cover whole chunks.
struct ChecksumPart {
  uint64_t bytes = 0;
  uint32_t groups = 0;
  uint32_t chunk_log2 = 0;
};

class VulkanKernels {
 public:
  // One dispatch covers no more: offsets in shaders are 32 bits, which leave room for rounding up.
  static constexpr uint64_t kMostBytes = uint64_t{1} << 30;
  // Most results of one checksum.
  static constexpr uint32_t kMostGroups = 1024;

  // Null, and `why`.
  static std::unique_ptr<VulkanKernels> create(std::shared_ptr<VulkanGpu> gpu, std::string& why);
  explicit VulkanKernels(std::shared_ptr<VulkanGpu> gpu) : gpu_(std::move(gpu)) {}
  ~VulkanKernels();
  VulkanKernels(const VulkanKernels&) = delete;
  VulkanKernels& operator=(const VulkanKernels&) = delete;

  // Ranges of 1 to kMostBytes bytes.
  void fill(VkCommandBuffer commands, uint64_t target, uint64_t bytes, uint8_t value) const;
  void copy(VkCommandBuffer commands, uint64_t target, uint64_t source, uint64_t bytes) const;
  // At most `most_groups` words are written to `results`.
  ChecksumPart checksum(VkCommandBuffer commands, uint64_t source, uint64_t bytes, uint64_t results,
                        uint32_t most_groups) const;
  // What comes after sees what shaders wrote before, in this and in earlier submissions.
  void barrier(VkCommandBuffer commands) const;
  // And so does the host once it has waited.
  void barrier_for_host(VkCommandBuffer commands) const;

  // For blocks on their way to a place that overlaps the old one. Operations run one after the other, so all share it.
  const VulkanMemory& scratch() const noexcept { return *scratch_; }

 private:
  bool create_pipeline(std::span<const uint32_t> words, VkPipeline& pipeline, std::string& why);
  bool create_tables(std::string& why);
  void run(VkCommandBuffer commands, VkPipeline pipeline, const void* parameters, uint32_t bytes, uint32_t groups) const;

  std::shared_ptr<VulkanGpu> gpu_;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkPipeline fill_ = VK_NULL_HANDLE;
  VkPipeline copy_ = VK_NULL_HANDLE;
  VkPipeline checksum_ = VK_NULL_HANDLE;
  std::unique_ptr<VulkanMemory> tables_;
  std::unique_ptr<VulkanMemory> scratch_;
};

// The register over the whole part.
uint32_t join_groups(const ChecksumPart& part, const uint32_t* results) noexcept;

}  // namespace nautilus

#endif
