// No Mac has run this yet. Host facts of macOS by sysctl and Mach; what Linux has and macOS has not is named.
#include <mach/mach.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>

#include "os/failure.h"
#include "probe/probe.h"

namespace nautilus {
namespace {

std::string sysctl_text(const char* name) {
  size_t length = 0;
  if (::sysctlbyname(name, nullptr, &length, nullptr, 0) != 0 || length == 0) return {};
  std::string text(length, '\0');
  if (::sysctlbyname(name, text.data(), &length, nullptr, 0) != 0) return {};
  return text.c_str();
}

uint64_t sysctl_number(const char* name) {
  uint64_t value = 0;
  size_t length = sizeof value;
  if (::sysctlbyname(name, &value, &length, nullptr, 0) != 0) throw system_failure("sysctlbyname", errno, name);
  return value;
}

}  // namespace

HostFacts probe_host() {
  utsname names{};
  if (::uname(&names) != 0) throw system_failure("uname", errno, "host facts");
  HostFacts facts;
  facts.platform = "darwin";
  facts.arch = names.machine;
  facts.kernel = std::string(names.sysname) + " " + names.release;
  facts.cpu_model = sysctl_text("machdep.cpu.brand_string");
  facts.cpu_count = static_cast<uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  facts.page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.total_bytes = sysctl_number("hw.memsize");
  const std::string boot_id = sysctl_text("kern.bootsessionuuid");
  if (!boot_id.empty()) facts.boot_id = boot_id;
  facts.huge_pages.reason = "macOS has no huge page reservations";
  facts.psi.reason = "pressure stall information exists on Linux only";
  facts.cgroup_reason = "cgroups exist on Linux only";
  const bool is_apple_silicon = facts.arch == "arm64";
  facts.unified_memory.available = is_apple_silicon;
  if (!is_apple_silicon) facts.unified_memory.reason = "needs Apple silicon, this is " + facts.arch;
  facts.gpu.reason = "Metal is not compiled into this build";
  facts.neural_engine.reason = "Core ML is not compiled into this build";
  facts.bandwidth_counter.reason = "macOS gives no public counter of memory bandwidth";
  return facts;
}

HostMemory read_host_memory() {
  HostMemory memory;
  memory.total_bytes = sysctl_number("hw.memsize");
  vm_statistics64_data_t statistics{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (::host_statistics64(::mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&statistics), &count) !=
      KERN_SUCCESS) {
    throw Failure(ErrorCode::kSystem, "host_statistics64 failed");
  }
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  // Free, plus what can be dropped without writing it anywhere.
  memory.available_bytes =
      (uint64_t{statistics.free_count} + statistics.external_page_count + statistics.purgeable_count) * page;
  xsw_usage swap{};
  size_t length = sizeof swap;
  if (::sysctlbyname("vm.swapusage", &swap, &length, nullptr, 0) == 0) {
    memory.swap_total_bytes = swap.xsu_total;
    memory.swap_free_bytes = swap.xsu_avail;
  }
  memory.major_faults = statistics.pageins;
  return memory;
}

}  // namespace nautilus
