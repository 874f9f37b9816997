// No Mac has compiled or run this yet; only the syntax check has seen it.
#import "device/apple/verify/findings.h"

#include <cstring>

#include "device/coreml/run_model.h"
#include "device/kinds.h"

namespace nautilus {
namespace {

constexpr uint64_t kColumns = 4096;
constexpr uint64_t kRows = 64;  // 512 KiB, whole pages if the base address begins one
constexpr uint64_t kWaitMs = 10'000;

std::string wrap_and_fill() {
  const auto found = detect_metal();
  if (found.devices.empty()) return "not asked: " + found.reason;
  std::string why;
  const auto surface = allocate_surface(kColumns, kRows, why);
  if (surface == nullptr) return "not asked: " + why;
  Device& gpu = *found.devices.front();
  const auto buffer = gpu.import({surface->host_address(), surface->bytes()}, true, why);
  if (buffer == nullptr) return "no: " + why;
  if (!buffer->is_shared()) return "no: " + buffer->reason();
  Operation operation;
  operation.target = {buffer.get(), 0, buffer->bytes()};
  operation.value = 0x3C;
  const Submitted submitted = gpu.submit(operation);
  const DeviceResult result = submitted.ticket == 0 ? submitted.refusal : gpu.wait(submitted.ticket, kWaitMs);
  if (result.status != DeviceStatus::kDone) return "wrapped, but a fill failed: " + result.reason;
  for (uint64_t at = 0; at < surface->bytes(); ++at) {
    if (surface->host_address()[at] != std::byte{0x3C}) {
      return "wrapped, but byte " + std::to_string(at) + " of the surface did not change";
    }
  }
  return "yes: the GPU filled the wrapped base address and the surface's memory changed";
}

}  // namespace

Finding surface_in_metal() {
  return {"Can the base address of an IOSurface be wrapped in an MTLBuffer, over the same bytes?", wrap_and_fill()};
}

Finding row_padding() {
  constexpr uint64_t kNarrow = 4;
  std::string why;
  const auto surface = allocate_surface(kNarrow, kNarrow, why);
  const auto shape = surface == nullptr ? std::nullopt : surface_shape_of(*surface);
  return {"How many bytes has a row of 4 elements of Float16 in a surface?",
          shape ? std::to_string(shape->bytes_per_row) : "not asked: " + why};
}

}  // namespace nautilus
