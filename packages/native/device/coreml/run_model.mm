// No Mac has compiled or run this yet; only the syntax check has seen it. Which unit computes is Core ML's choice: it
// is asked for the Neural Engine, and nothing here says that it was used.
#import "device/coreml/run_model.h"

#import <CoreML/CoreML.h>
#import <Foundation/Foundation.h>

#include <chrono>

#import "device/coreml/surface_buffer.h"

namespace nautilus {
namespace {

std::string text_of(NSError* error) { return error == nil ? "no reason given" : error.localizedDescription.UTF8String; }

// Nil, and `why`, unless the surface has the shape of the feature.
MLMultiArray* array_over(const SurfaceBuffer& surface, MLFeatureDescription* feature, const char* which,
                         std::string& why) {
  MLMultiArrayConstraint* constraint = feature.multiArrayConstraint;
  if (constraint == nil || constraint.dataType != MLMultiArrayDataTypeFloat16 || constraint.shape.count == 0) {
    why = std::string(which) + " of the model is no array of Float16; a surface cannot hold it";
    return nil;
  }
  uint64_t rows = 1;
  for (NSUInteger at = 0; at + 1 < constraint.shape.count; ++at) rows *= constraint.shape[at].unsignedLongLongValue;
  const uint64_t columns = constraint.shape[constraint.shape.count - 1].unsignedLongLongValue;
  if (columns != surface.columns() || rows != surface.rows()) {
    why = std::string(which) + " of the model has " + std::to_string(columns) + " x " + std::to_string(rows) +
          " elements, the surface " + std::to_string(surface.columns()) + " x " + std::to_string(surface.rows());
    return nil;
  }
  return [[MLMultiArray alloc] initWithPixelBuffer:surface.pixels() shape:constraint.shape];
}

ModelRun not_run(std::string reason) { return {false, false, std::move(reason), 0}; }

ModelRun run(const std::string& path, const SurfaceBuffer& input, const SurfaceBuffer& output) {
  MLModelConfiguration* configuration = [[MLModelConfiguration alloc] init];
  configuration.computeUnits = MLComputeUnitsCPUAndNeuralEngine;
  NSError* error = nil;
  NSURL* url = [NSURL fileURLWithPath:[NSString stringWithUTF8String:path.c_str()]];
  MLModel* model = [MLModel modelWithContentsOfURL:url configuration:configuration error:&error];
  if (model == nil) return not_run(path + " is not loaded: " + text_of(error));
  NSDictionary<NSString*, MLFeatureDescription*>* inputs = model.modelDescription.inputDescriptionsByName;
  NSDictionary<NSString*, MLFeatureDescription*>* outputs = model.modelDescription.outputDescriptionsByName;
  if (inputs.count != 1 || outputs.count != 1) {
    return not_run("the model has " + std::to_string(inputs.count) + " inputs and " + std::to_string(outputs.count) +
                   " outputs; one of each is run here");
  }
  NSString* input_name = inputs.allKeys[0];
  NSString* output_name = outputs.allKeys[0];
  std::string why;
  MLMultiArray* given = array_over(input, inputs[input_name], "the input", why);
  if (given == nil) return not_run(why);
  MLMultiArray* wanted = array_over(output, outputs[output_name], "the output", why);
  if (wanted == nil) return not_run(why);
  MLDictionaryFeatureProvider* features = [[MLDictionaryFeatureProvider alloc] initWithDictionary:@{input_name : given}
                                                                                            error:&error];
  if (features == nil) return not_run("the input is not taken: " + text_of(error));
  MLPredictionOptions* options = [[MLPredictionOptions alloc] init];
  options.outputBackings = @{output_name : wanted};
  input.synchronise();
  id<MLFeatureProvider> result = [model predictionFromFeatures:features options:options error:&error];
  if (result == nil) return not_run("no prediction: " + text_of(error));
  const auto begin = std::chrono::steady_clock::now();
  result = [model predictionFromFeatures:features options:options error:&error];
  const auto end = std::chrono::steady_clock::now();
  if (result == nil) return not_run("no second prediction: " + text_of(error));
  output.synchronise();
  ModelRun outcome;
  outcome.ran = true;
  outcome.latency_us = std::chrono::duration<double, std::micro>(end - begin).count();
  outcome.output_is_ours = [result featureValueForName:output_name].multiArrayValue == wanted;
  if (!outcome.output_is_ours) outcome.reason = "copied: Core ML made an array of its own for the output";
  return outcome;
}

}  // namespace

std::unique_ptr<DeviceBuffer> allocate_surface(uint64_t columns, uint64_t rows, std::string& why) {
  return SurfaceBuffer::create(std::make_shared<int>(), columns, rows, why);
}

std::optional<SurfaceShape> surface_shape_of(const DeviceBuffer& buffer) {
  const auto* surface = dynamic_cast<const SurfaceBuffer*>(&buffer);
  if (surface == nullptr) return std::nullopt;
  return SurfaceShape{surface->columns(), surface->rows(), surface->bytes_per_row()};
}

ModelRun run_model(const std::string& path, DeviceBuffer& input, DeviceBuffer& output) {
  const auto* from = dynamic_cast<const SurfaceBuffer*>(&input);
  const auto* into = dynamic_cast<const SurfaceBuffer*>(&output);
  if (from == nullptr || into == nullptr) {
    return not_run(std::string(from == nullptr ? "input" : "output") + ": not born as a surface");
  }
  @autoreleasepool {
    return run(path, *from, *into);
  }
}

}  // namespace nautilus
