// Addresses go to the shaders as push constants: no descriptor, and no other object, exists for an operation.
#include "device/vulkan/kernels.h"

#if NAUTILUS_HAS_VULKAN

#include <algorithm>
#include <bit>
#include <cstring>

#include "device/crc32c.h"
#include "device/vulkan/shaders.generated.h"

namespace nautilus {
namespace {

constexpr uint32_t kInvocations = 128;  // local_size_x of all shaders
// Enough to fill any GPU; more bytes make each invocation loop.
constexpr uint32_t kMostDispatched = 1024;
constexpr uint64_t kScratchBytes = 1 << 20;
constexpr uint32_t kLeastChunkLog2 = 9;
constexpr uint32_t kParameterBytes = 48;
constexpr uint32_t kTableWords = 1024;
constexpr uint32_t kShiftLevels = 40;  // powers of two of bytes to shift over

// As the push constants in shaders/*.comp.
struct FillParameters {
  uint64_t target, body;
  uint32_t head, quads, tail, value;
};
struct CopyParameters {
  uint64_t target, source, target_body, source_body;
  uint32_t head, words, tail, shift;
};
struct ChecksumParameters {
  uint64_t source, tables, results;
  uint32_t skip, bytes, chunk_log2;
};
static_assert(sizeof(FillParameters) == 32 && sizeof(CopyParameters) == kParameterBytes &&
              sizeof(ChecksumParameters) <= kParameterBytes);

constexpr uint64_t divided_up(uint64_t amount, uint64_t unit) { return (amount + unit - 1) / unit; }

// One invocation a unit, as long as there are not too many, and enough for the odd bytes at the ends.
uint32_t groups_for(uint64_t units) {
  return static_cast<uint32_t>(std::clamp<uint64_t>(divided_up(units, kInvocations), 1, kMostDispatched));
}

// Bytes before the first aligned address, at most all.
uint32_t head_of(uint64_t address, uint64_t bytes, uint64_t alignment) {
  return static_cast<uint32_t>(std::min(bytes, (alignment - address % alignment) % alignment));
}

}  // namespace

std::unique_ptr<VulkanKernels> VulkanKernels::create(std::shared_ptr<VulkanGpu> gpu, std::string& why) {
  auto kernels = std::make_unique<VulkanKernels>(gpu);
  const VkPushConstantRange parameters{VK_SHADER_STAGE_COMPUTE_BIT, 0, kParameterBytes};
  VkPipelineLayoutCreateInfo layout{};
  layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layout.pushConstantRangeCount = 1;
  layout.pPushConstantRanges = &parameters;
  const VkResult result = gpu->vk().CreatePipelineLayout(gpu->device(), &layout, nullptr, &kernels->layout_);
  if (result != VK_SUCCESS) {
    kernels->layout_ = VK_NULL_HANDLE;
    why = gpu->failure(result, "vkCreatePipelineLayout").reason;
    return nullptr;
  }
  const bool is_made = kernels->create_pipeline(kFillShader, kernels->fill_, why) &&
                       kernels->create_pipeline(kCopyShader, kernels->copy_, why) &&
                       kernels->create_pipeline(kChecksumShader, kernels->checksum_, why) && kernels->create_tables(why);
  if (!is_made) return nullptr;
  kernels->scratch_ = VulkanMemory::allocate(gpu, kScratchBytes, why);
  return kernels->scratch_ == nullptr ? nullptr : std::move(kernels);
}

bool VulkanKernels::create_pipeline(std::span<const uint32_t> words, VkPipeline& pipeline, std::string& why) {
  const VulkanDeviceApi& vk = gpu_->vk();
  VkShaderModuleCreateInfo code{};
  code.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  code.codeSize = words.size_bytes();
  code.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  VkResult result = vk.CreateShaderModule(gpu_->device(), &code, nullptr, &module);
  if (result != VK_SUCCESS) {
    why = gpu_->failure(result, "vkCreateShaderModule").reason;
    return false;
  }
  VkComputePipelineCreateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  request.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  request.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  request.stage.module = module;
  request.stage.pName = "main";
  request.layout = layout_;
  result = vk.CreateComputePipelines(gpu_->device(), VK_NULL_HANDLE, 1, &request, nullptr, &pipeline);
  vk.DestroyShaderModule(gpu_->device(), module, nullptr);
  if (result == VK_SUCCESS) return true;
  pipeline = VK_NULL_HANDLE;
  why = gpu_->failure(result, "vkCreateComputePipelines").reason;
  return false;
}

bool VulkanKernels::create_tables(std::string& why) {
  tables_ = VulkanMemory::allocate(gpu_, (kTableWords + kShiftLevels * 32) * sizeof(uint32_t), why);
  if (tables_ == nullptr) return false;
  auto* words = reinterpret_cast<uint32_t*>(tables_->host_address());
  std::memcpy(words, crc32c_tables().data(), kTableWords * sizeof(uint32_t));
  for (uint32_t level = 0; level < kShiftLevels; ++level) {
    for (uint32_t bit = 0; bit < 32; ++bit) {
      words[kTableWords + level * 32 + bit] = crc32c_shift(uint32_t{1} << bit, uint64_t{1} << level);
    }
  }
  return true;
}

VulkanKernels::~VulkanKernels() {
  const VulkanDeviceApi& vk = gpu_->vk();
  for (const VkPipeline pipeline : {fill_, copy_, checksum_}) vk.DestroyPipeline(gpu_->device(), pipeline, nullptr);
  vk.DestroyPipelineLayout(gpu_->device(), layout_, nullptr);
}

void VulkanKernels::run(VkCommandBuffer commands, VkPipeline pipeline, const void* parameters, uint32_t bytes,
                        uint32_t groups) const {
  const VulkanDeviceApi& vk = gpu_->vk();
  vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  vk.CmdPushConstants(commands, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, bytes, parameters);
  vk.CmdDispatch(commands, groups, 1, 1);
}

void VulkanKernels::fill(VkCommandBuffer commands, uint64_t target, uint64_t bytes, uint8_t value) const {
  FillParameters parameters{};
  parameters.target = target;
  parameters.head = head_of(target, bytes, 16);
  parameters.body = target + parameters.head;
  parameters.quads = static_cast<uint32_t>((bytes - parameters.head) / 16);
  parameters.tail = static_cast<uint32_t>((bytes - parameters.head) % 16);
  // Never read when there is no quad, yet never misaligned either.
  if (parameters.quads == 0) parameters.body = target / 16 * 16;
  parameters.value = value;
  run(commands, fill_, &parameters, sizeof(parameters), groups_for(parameters.quads));
}

void VulkanKernels::copy(VkCommandBuffer commands, uint64_t target, uint64_t source, uint64_t bytes) const {
  CopyParameters parameters{};
  parameters.target = target;
  parameters.source = source;
  parameters.head = head_of(target, bytes, 4);
  parameters.words = static_cast<uint32_t>((bytes - parameters.head) / 4);
  parameters.tail = static_cast<uint32_t>((bytes - parameters.head) % 4);
  const uint64_t first = source + parameters.head;
  parameters.target_body = parameters.words == 0 ? target / 4 * 4 : target + parameters.head;
  parameters.source_body = first / 4 * 4;
  parameters.shift = static_cast<uint32_t>(first % 4 * 8);
  run(commands, copy_, &parameters, sizeof(parameters), groups_for(parameters.words));
}

ChecksumPart VulkanKernels::checksum(VkCommandBuffer commands, uint64_t source, uint64_t bytes, uint64_t results,
                                     uint32_t most_groups) const {
  const uint64_t least_chunk = divided_up(bytes, uint64_t{most_groups} * kInvocations);
  ChecksumPart part;
  part.bytes = bytes;
  part.chunk_log2 = std::max(kLeastChunkLog2, static_cast<uint32_t>(std::bit_width(least_chunk - 1)));
  part.groups = static_cast<uint32_t>(divided_up(bytes, uint64_t{kInvocations} << part.chunk_log2));
  ChecksumParameters parameters{};
  parameters.source = source / 4 * 4;
  parameters.tables = tables_->address(0);
  parameters.results = results;
  parameters.skip = static_cast<uint32_t>(source % 4);
  parameters.bytes = static_cast<uint32_t>(bytes);
  parameters.chunk_log2 = part.chunk_log2;
  run(commands, checksum_, &parameters, sizeof(parameters), part.groups);
  return part;
}

void VulkanKernels::barrier(VkCommandBuffer commands) const {
  VkMemoryBarrier memory{};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  memory.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
  gpu_->vk().CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, 0,
                                1, &memory, 0, nullptr, 0, nullptr);
}

void VulkanKernels::barrier_for_host(VkCommandBuffer commands) const {
  VkMemoryBarrier memory{};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  memory.dstAccessMask = VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT;
  gpu_->vk().CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1,
                                &memory, 0, nullptr, 0, nullptr);
}

uint32_t join_groups(const ChecksumPart& part, const uint32_t* results) noexcept {
  uint32_t joined = 0;
  for (uint32_t at = 0; at < part.groups; ++at) {
    joined = crc32c_shift(joined, uint64_t{kInvocations} << part.chunk_log2) ^ results[at];
  }
  return joined;
}

}  // namespace nautilus

#endif
