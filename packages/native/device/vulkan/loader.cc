// The library stays open for the life of the process: drivers leave threads and thread-local data behind, which must
// not lose their code.
#include "device/vulkan/loader.h"

#if NAUTILUS_HAS_VULKAN

#include <dlfcn.h>

namespace nautilus {
namespace {

constexpr const char* kLibrary = "libvulkan.so.1";

PFN_vkGetInstanceProcAddr open_library(std::string& why) {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = ::dlerror();
    why = error == nullptr ? std::string(kLibrary) + " could not be loaded" : error;
    return nullptr;
  }
  auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library, "vkGetInstanceProcAddr"));
  if (get == nullptr) why = std::string(kLibrary) + " has no vkGetInstanceProcAddr";
  return get;
}

}  // namespace

std::shared_ptr<const VulkanInstance> VulkanInstance::open(std::string& why) {
  const PFN_vkGetInstanceProcAddr get = open_library(why);
  if (get == nullptr) return nullptr;
  const auto create = reinterpret_cast<PFN_vkCreateInstance>(get(VK_NULL_HANDLE, "vkCreateInstance"));
  if (create == nullptr) {
    why = std::string(kLibrary) + " has no vkCreateInstance";
    return nullptr;
  }
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "nautilus";
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo request{};
  request.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  request.pApplicationInfo = &application;
  auto instance = std::make_shared<VulkanInstance>();
  const VkResult result = create(&request, nullptr, &instance->handle);
  if (result != VK_SUCCESS) {
    instance->handle = VK_NULL_HANDLE;
    why = "vkCreateInstance: " + vulkan_result_text(result);
    return nullptr;
  }
#define NAUTILUS_LOAD(name)                                                               \
  instance->name = reinterpret_cast<PFN_vk##name>(get(instance->handle, "vk" #name));     \
  if (instance->name == nullptr) why = "the Vulkan loader is too old: it has no vk" #name;
  NAUTILUS_VULKAN_INSTANCE_FUNCTIONS(NAUTILUS_LOAD)
#undef NAUTILUS_LOAD
  if (!why.empty()) return nullptr;
  return instance;
}

VulkanInstance::~VulkanInstance() {
  if (handle != VK_NULL_HANDLE && DestroyInstance != nullptr) DestroyInstance(handle, nullptr);
}

bool VulkanDeviceApi::load(const VulkanInstance& instance, VkDevice device, std::string& why) {
#define NAUTILUS_LOAD(name)                                                                         \
  name = reinterpret_cast<PFN_vk##name>(instance.GetDeviceProcAddr(device, "vk" #name));            \
  if (name == nullptr) why = "the driver has no vk" #name;
  NAUTILUS_VULKAN_DEVICE_FUNCTIONS(NAUTILUS_LOAD)
#undef NAUTILUS_LOAD
  GetMemoryHostPointerPropertiesEXT = reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
      instance.GetDeviceProcAddr(device, "vkGetMemoryHostPointerPropertiesEXT"));
  return why.empty();
}

std::string vulkan_result_text(VkResult result) {
  const auto named = [result](const char* name) { return std::string(name) + " (" + std::to_string(result) + ")"; };
  switch (result) {
    case VK_TIMEOUT: return named("VK_TIMEOUT");
    case VK_ERROR_OUT_OF_HOST_MEMORY: return named("VK_ERROR_OUT_OF_HOST_MEMORY");
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return named("VK_ERROR_OUT_OF_DEVICE_MEMORY");
    case VK_ERROR_INITIALIZATION_FAILED: return named("VK_ERROR_INITIALIZATION_FAILED");
    case VK_ERROR_DEVICE_LOST: return named("VK_ERROR_DEVICE_LOST");
    case VK_ERROR_MEMORY_MAP_FAILED: return named("VK_ERROR_MEMORY_MAP_FAILED");
    case VK_ERROR_INCOMPATIBLE_DRIVER: return named("VK_ERROR_INCOMPATIBLE_DRIVER");
    case VK_ERROR_TOO_MANY_OBJECTS: return named("VK_ERROR_TOO_MANY_OBJECTS");
    case VK_ERROR_INVALID_EXTERNAL_HANDLE: return named("VK_ERROR_INVALID_EXTERNAL_HANDLE");
    default: return named("VkResult");
  }
}

}  // namespace nautilus

#endif
