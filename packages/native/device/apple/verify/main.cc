// The program of `npm run verify:mac`: prints one JSON value and ends with 0 when it could measure.
//   verify latencies | verify soak MINUTES | verify findings [MODEL.mlmodelc COLUMNS ROWS COLUMNS ROWS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "device/apple/latencies.h"
#include "device/apple/soak.h"
#include "device/apple/verify/findings.h"
#include "device/apple/verify/json.h"
#include "device/coreml/run_model.h"
#include "device/kinds.h"

namespace nautilus {
namespace {

constexpr uint64_t kShortSamples = 20'000;
constexpr uint64_t kLongSamples = 2'000;
constexpr uint64_t kCompletedBytes[] = {64, 4096, 1 << 20, 64 << 20};
constexpr uint64_t kSeed = 1;

std::string json_of(const Latency& latency) {
  return "{\"name\":" + json_text(latency.name) + ",\"bytes\":" + std::to_string(latency.bytes) +
         ",\"samples\":" + std::to_string(latency.samples) + ",\"batch\":" + std::to_string(latency.batch) +
         ",\"p50Ns\":" + std::to_string(latency.p50_ns) + ",\"p999Ns\":" + std::to_string(latency.p999_ns) + "}";
}

std::string failure(const std::string& name, const std::string& reason) {
  return "{\"name\":" + json_text(name) + ",\"failure\":" + json_text(reason) + "}";
}

int print(const std::string& json, bool is_good) {
  std::printf("%s\n", json.c_str());
  return is_good ? 0 : 1;
}

int latencies() {
  std::vector<std::string> lines;
  bool is_good = true;
  Latency latency;
  std::string why;
  // Before any framework has started threads.
  if (measure_visible(kShortSamples, latency, why)) {
    lines.push_back(json_of(latency));
  } else {
    is_good = false;
    lines.push_back(failure("visible to a spinning peer", why));
  }
  lines.push_back(json_of(measure_allocate(kShortSamples)));
  const auto found = detect_metal();
  if (found.devices.empty()) {
    lines.push_back(failure("hand over, completed by the device", found.reason));
    return print(json_list(lines), false);
  }
  Device& gpu = *found.devices.front();
  const auto buffer = gpu.allocate(kCompletedBytes[3], why);
  if (buffer == nullptr) {
    lines.push_back(failure("hand over, completed by the device", why));
    return print(json_list(lines), false);
  }
  lines.push_back(json_of(measure_hand_over(*buffer, kShortSamples)));
  for (const uint64_t bytes : kCompletedBytes) {
    if (measure_completed(gpu, *buffer, bytes, kLongSamples, latency, why)) {
      lines.push_back(json_of(latency));
    } else {
      is_good = false;
      lines.push_back(failure("completed by the device", why));
    }
  }
  return print(json_list(lines), is_good);
}

int soak_for(double minutes) {
  const auto found = detect_metal();
  if (found.devices.empty()) return print(failure("soak", found.reason), false);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(minutes * 60);
  const SoakResult result = soak(*found.devices.front(), kSeed, [&] { return std::chrono::steady_clock::now() < end; });
  return print("{\"minutes\":" + std::to_string(minutes) + ",\"operations\":" + std::to_string(result.operations) +
                   ",\"bytes\":" + std::to_string(result.bytes) + ",\"imports\":" + std::to_string(result.imports) +
                   ",\"mismatches\":" + std::to_string(result.mismatches) +
                   ",\"failures\":" + std::to_string(result.failures) + ",\"first\":" + json_text(result.first) + "}",
               result.first.empty() && result.operations > 0);
}

std::string devices_of(const char* kind, const DeviceKind::Found& found) {
  std::vector<std::string> names;
  for (const auto& device : found.devices) {
    const DeviceLimits& limits = device->limits();
    names.push_back("{\"id\":" + json_text(device->info().id) + ",\"name\":" + json_text(device->info().name) +
                    ",\"mostBufferBytes\":" + std::to_string(limits.most_buffer_bytes) + ",\"workingSetBytes\":" +
                    (limits.working_set_bytes ? std::to_string(*limits.working_set_bytes) : "null") +
                    ",\"workingSetSource\":" + json_text(limits.working_set_source) + "}");
  }
  return "{\"kind\":" + json_text(kind) + ",\"devices\":" + json_list(names) +
         ",\"reason\":" + json_text(found.reason) + "}";
}

std::string model_run(char** words) {
  std::string why;
  const auto input = allocate_surface(std::strtoull(words[1], nullptr, 10), std::strtoull(words[2], nullptr, 10), why);
  if (input == nullptr) return "{\"ran\":false,\"reason\":" + json_text(why) + "}";
  const auto output = allocate_surface(std::strtoull(words[3], nullptr, 10), std::strtoull(words[4], nullptr, 10), why);
  if (output == nullptr) return "{\"ran\":false,\"reason\":" + json_text(why) + "}";
  const ModelRun run = run_model(words[0], *input, *output);
  return std::string("{\"ran\":") + (run.ran ? "true" : "false") +
         ",\"outputIsOurs\":" + (run.output_is_ours ? "true" : "false") + ",\"reason\":" + json_text(run.reason) +
         ",\"latencyUs\":" + std::to_string(run.latency_us) + "}";
}

int findings(int count, char** words) {
  std::vector<std::string> answers;
  for (const Finding& finding : {surface_in_metal(), row_padding()}) {
    answers.push_back("{\"question\":" + json_text(finding.question) + ",\"answer\":" + json_text(finding.answer) +
                      "}");
  }
  const std::string model =
      count == 5 ? model_run(words) : "{\"ran\":false,\"reason\":" + json_text("no model was given (--model)") + "}";
  return print("{\"kinds\":[" + devices_of("metal", detect_metal()) + "," + devices_of("coreml", detect_coreml()) +
                   "],\"findings\":" + json_list(answers) + ",\"model\":" + model + "}",
               true);
}

int usage() {
  std::fprintf(stderr, "verify latencies | soak MINUTES | findings [MODEL COLUMNS ROWS COLUMNS ROWS]\n");
  return 2;
}

}  // namespace
}  // namespace nautilus

int main(int count, char** words) {
  if (count == 2 && std::strcmp(words[1], "latencies") == 0) return nautilus::latencies();
  if (count == 3 && std::strcmp(words[1], "soak") == 0 && std::atof(words[2]) > 0) {
    return nautilus::soak_for(std::atof(words[2]));
  }
  if ((count == 2 || count == 7) && std::strcmp(words[1], "findings") == 0) {
    return nautilus::findings(count - 2, words + 2);
  }
  return nautilus::usage();
}
