// Operations as commands for the GPU. What they do is in kernels.metal.h, how they are cut in device/apple.
#pragma once

#import <Metal/Metal.h>

#include <string>

#include "device/apple/checksum_plan.h"
#include "device/device.h"
#include "device/metal/metal_state.h"

namespace nautilus {

// Compiles the kernels into the state; why not, or empty.
std::string compile_kernels(MetalState& state);

// The operation was found valid, and its buffers are this device's. `checksums` receives a word for each chunk.
void encode_operation(const MetalState& state, id<MTLComputeCommandEncoder> encoder, const Operation& operation,
                      const ChecksumPlan& plan, id<MTLBuffer> checksums);

}  // namespace nautilus
