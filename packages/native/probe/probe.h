// Facts about the host, read and not guessed. What is missing carries its reason; implemented in linux/ and
// macos/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace nautilus {

using Text = std::optional<std::string>;

// Available exactly when there is no reason against it.
struct Availability {
  bool available = false;
  Text reason;
};

struct HostFacts {
  std::string platform;
  std::string arch;
  std::string kernel;
  std::string cpu_model;
  uint64_t cpu_count = 0;
  uint64_t page_bytes = 0;
  uint64_t total_bytes = 0;
  bool total_is_cgroup_limit = false;
  Text boot_id;
  Availability huge_pages;
  std::optional<uint64_t> huge_page_bytes;
  uint64_t free_huge_pages = 0;
  Availability psi;
  std::optional<int> cgroup_version;
  bool cgroup_memory_controller = false;
  Text cgroup_reason;
  Availability unified_memory;
  Availability gpu;
  Text gpu_name;
  Availability neural_engine;
  Availability bandwidth_counter;
  Text bandwidth_source;
};

struct HostMemory {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t swap_total_bytes = 0;
  uint64_t swap_free_bytes = 0;
  std::optional<uint64_t> major_faults;       // since boot, of all processes
  std::optional<uint64_t> psi_some_total_us;  // since boot
  std::optional<uint64_t> psi_full_total_us;
  std::optional<double> psi_some_avg10;  // percent of the last 10 s
  std::optional<double> psi_full_avg10;
};

HostFacts probe_host();
HostMemory read_host_memory();

}  // namespace nautilus
