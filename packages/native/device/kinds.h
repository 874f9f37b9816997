// How the devices of each kind are looked for. Every detection opens its devices anew and owns nothing afterwards.
#pragma once

#include "device/device.h"

namespace nautilus {

DeviceKind::Found detect_host();
DeviceKind::Found detect_vulkan();
// Compiled on Apple systems only.
DeviceKind::Found detect_metal();
DeviceKind::Found detect_coreml();

}  // namespace nautilus
