// The four latencies that are never to stand in for each other, measured one by one on this machine: a block is
// allocated, its place is handed over, a spinning peer sees a write, a device has completed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/device.h"

namespace nautilus {

struct Latency {
  std::string name;
  uint64_t bytes = 0;    // of the block
  uint64_t samples = 0;
  uint64_t batch = 1;    // calls of one sample where one is shorter than the clock's tick; then a sample is their mean
  double p50_ns = 0;
  double p999_ns = 0;
};

// Of unsorted samples, which are not empty.
Latency summarise(std::string name, uint64_t bytes, uint64_t batch, std::vector<double> samples_ns);

Latency measure_allocate(uint64_t samples);
Latency measure_hand_over(const DeviceBuffer& buffer, uint64_t samples);
// One way, as half of a round trip between two processes that spin on a shared segment. Forks, so it comes before
// anything that has threads. Nothing, and `why`, when the peer did not answer.
bool measure_visible(uint64_t samples, Latency& latency, std::string& why);
// A fill of so many bytes, from the submission to the end of the wait. False, and `why`, when the device declined.
bool measure_completed(Device& device, DeviceBuffer& buffer, uint64_t bytes, uint64_t samples, Latency& latency,
                       std::string& why);

}  // namespace nautilus
