// Fixed facts of a Linux host.
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>

#include "os/failure.h"
#include "probe/linux/cgroup.h"
#include "probe/linux/devices.h"
#include "probe/linux/proc_file.h"
#include "probe/probe.h"
#include "segment/linux/huge_pages.h"

namespace nautilus {
namespace {

std::string cpu_model(const std::string& machine) {
  const std::string cpuinfo = read_small_file("/proc/cpuinfo").value_or("");
  for (const char* key : {"model name", "Model", "Hardware", "CPU implementer"}) {
    const std::optional<std::string> line = line_after(cpuinfo, key);
    // "model name\t: Intel ...": the colon and the blanks are not part of the name.
    if (line && line->starts_with(':')) return trimmed(line->substr(1));
  }
  return machine;
}

void probe_huge_pages(HostFacts& facts) {
  const HugePages pages = read_huge_pages();
  facts.free_huge_pages = pages.free_pages;
  if (pages.page_bytes == 0) {
    facts.huge_pages.reason = "the kernel has no huge pages";
    return;
  }
  facts.huge_page_bytes = pages.page_bytes;
  facts.huge_pages.available = pages.free_pages > 0;
  if (pages.free_pages == 0) {
    facts.huge_pages.reason = "none free: vm.nr_hugepages reserves " + std::to_string(pages.total_pages);
  }
}

void probe_psi(HostFacts& facts) {
  errno = 0;
  facts.psi.available = read_small_file("/proc/pressure/memory").has_value();
  if (!facts.psi.available) {
    facts.psi.reason = "/proc/pressure/memory: " + describe_errno(errno) + "; needs CONFIG_PSI and psi=1";
  }
}

}  // namespace

HostFacts probe_host() {
  utsname names{};
  if (::uname(&names) != 0) throw system_failure("uname", errno, "host facts");
  HostFacts facts;
  facts.platform = "linux";
  facts.arch = names.machine;
  facts.kernel = std::string(names.sysname) + " " + names.release;
  facts.cpu_model = cpu_model(names.machine);
  facts.cpu_count = static_cast<uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  facts.page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  facts.total_bytes = read_host_memory().total_bytes;
  const std::optional<std::string> boot_id = read_small_file("/proc/sys/kernel/random/boot_id");
  if (boot_id) facts.boot_id = trimmed(*boot_id);
  const CgroupFacts cgroup = probe_cgroup();
  facts.cgroup_version = cgroup.version;
  facts.cgroup_memory_controller = cgroup.memory_controller;
  facts.cgroup_reason = cgroup.reason;
  if (cgroup.limit_bytes && *cgroup.limit_bytes < facts.total_bytes) {
    facts.total_bytes = *cgroup.limit_bytes;
    facts.total_is_cgroup_limit = true;
  }
  probe_huge_pages(facts);
  probe_psi(facts);
  probe_devices(facts);
  return facts;
}

}  // namespace nautilus
