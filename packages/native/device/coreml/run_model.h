// A Core ML model from one surface into another, and whether Core ML really wrote into ours: it may silently make its
// own output, so the object that comes back is compared with the one that was given.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "device/device.h"

namespace nautilus {

struct ModelRun {
  bool ran = false;
  // True: the prediction is the array over our surface. False and `ran`: a copy was made by Core ML.
  bool output_is_ours = false;
  std::string reason;  // why it did not run, or is not ours
  double latency_us = 0;  // of one prediction after a first one, from the call to its return
};

// How elements lie: element (row, column) begins at row * bytes_per_row + column * 2.
struct SurfaceShape {
  uint64_t columns = 0;
  uint64_t rows = 0;
  uint64_t bytes_per_row = 0;  // padding included
};

// Float16 elements; columns are the last dimension of the model's array, rows the product of the others. Null, and
// `why`, when there is no such surface.
std::unique_ptr<DeviceBuffer> allocate_surface(uint64_t columns, uint64_t rows, std::string& why);

// Nothing for a buffer that was not born as a surface.
std::optional<SurfaceShape> surface_shape_of(const DeviceBuffer& buffer);

// A compiled model (.mlmodelc) with one input and one output, both arrays of Float16.
ModelRun run_model(const std::string& path, DeviceBuffer& input, DeviceBuffer& output);

}  // namespace nautilus
