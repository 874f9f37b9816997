// The one list of kinds of devices. The host comes first: it is what all others fall back to.
#include "device/kinds.h"

namespace nautilus {
namespace {

constexpr DeviceKind kKinds[] = {
    {"host", "this machine's own processor", detect_host},
    {"vulkan", "GPUs, and llvmpipe in software, through the Vulkan loader", detect_vulkan},
#if defined(__APPLE__)
    {"metal", "Apple GPUs", detect_metal},
    {"coreml", "the Apple Neural Engine, through IOSurfaces", detect_coreml},
#endif
};

}  // namespace

std::span<const DeviceKind> device_kinds() noexcept { return kKinds; }

}  // namespace nautilus
