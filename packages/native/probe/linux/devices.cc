// A device counts when its node can be opened by this process: a GPU that only root may use is none for us.
#include "probe/linux/devices.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "probe/linux/proc_file.h"

namespace nautilus {
namespace {

std::vector<std::string> entries_with_prefix(const std::string& folder, const std::string& prefix) {
  struct Close {
    void operator()(DIR* open) const noexcept { ::closedir(open); }
  };
  std::vector<std::string> found;
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open) return found;
  while (const dirent* entry = ::readdir(open.get())) {
    if (std::string_view(entry->d_name).starts_with(prefix)) found.emplace_back(entry->d_name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string render_node_name(const std::string& node) {
  const std::string device = "/sys/class/drm/" + node + "/device/";
  const std::string driver = line_after(read_small_file(device + "uevent").value_or(""), "DRIVER=").value_or("unknown driver");
  const std::string vendor = trimmed(read_small_file(device + "vendor").value_or("?"));
  const std::string model = trimmed(read_small_file(device + "device").value_or("?"));
  return driver + " " + vendor + ":" + model + " (/dev/dri/" + node + ")";
}

void probe_gpu(HostFacts& facts) {
  const std::vector<std::string> nodes = entries_with_prefix("/dev/dri", "renderD");
  for (const std::string& node : nodes) {
    if (::access(("/dev/dri/" + node).c_str(), R_OK | W_OK) != 0) continue;
    facts.gpu.available = true;
    facts.gpu_name = render_node_name(node);
    return;
  }
  for (const std::string& slot : entries_with_prefix("/proc/driver/nvidia/gpus", "")) {
    const auto text = read_small_file("/proc/driver/nvidia/gpus/" + slot + "/information");
    if (!text || ::access("/dev/nvidia0", R_OK | W_OK) != 0) continue;
    facts.gpu.available = true;
    facts.gpu_name = line_after(*text, "Model:").value_or("NVIDIA GPU " + slot);
    return;
  }
  facts.gpu.reason = nodes.empty() ? "no render node in /dev/dri and no NVIDIA driver"
                                   : "/dev/dri/" + nodes.front() + " exists, but this process may not open it";
}

void probe_bandwidth(HostFacts& facts) {
  if (::access("/sys/fs/resctrl/mon_data", R_OK) == 0 &&
      read_small_file("/sys/fs/resctrl/info/L3_MON/mon_features").value_or("").find("mbm_total_bytes") !=
          std::string::npos) {
    facts.bandwidth_counter.available = true;
    facts.bandwidth_source = "resctrl mbm_total_bytes";
    return;
  }
  std::vector<std::string> memory_units;
  for (const char* prefix : {"uncore_imc", "amd_umc", "arm_cmn", "nvidia_scf"}) {
    for (const std::string& unit : entries_with_prefix("/sys/bus/event_source/devices", prefix)) memory_units.push_back(unit);
  }
  const std::string paranoid = trimmed(read_small_file("/proc/sys/kernel/perf_event_paranoid").value_or("?"));
  if (memory_units.empty()) {
    facts.bandwidth_counter.reason =
        "neither resctrl memory monitoring nor a memory controller event source (usual in a virtual machine)";
  } else if (::geteuid() == 0 || paranoid == "0" || paranoid == "-1") {
    facts.bandwidth_counter.available = true;
    facts.bandwidth_source = "perf " + memory_units.front();
  } else {
    facts.bandwidth_counter.reason =
        memory_units.front() + " exists, but kernel.perf_event_paranoid is " + paranoid + " and this process is not root";
  }
}

}  // namespace

void probe_devices(HostFacts& facts) {
  probe_gpu(facts);
  probe_bandwidth(facts);
  facts.unified_memory.reason = "no memory that processor and device address alike is known on Linux; "
                                "it is used on Apple silicon only";
  const std::vector<std::string> accelerators = entries_with_prefix("/dev/accel", "accel");
  facts.neural_engine.reason =
      "the Neural Engine exists on Apple silicon only" +
      (accelerators.empty() ? std::string() : "; /dev/accel/" + accelerators.front() + " is not used");
}

}  // namespace nautilus
