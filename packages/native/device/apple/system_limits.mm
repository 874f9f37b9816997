// No Mac has compiled or run this yet; only the syntax check has seen it. Numbers of the system by sysctl and Mach.
#include "device/apple/system_limits.h"

#include <mach/mach.h>
#include <sys/sysctl.h>
#include <unistd.h>

namespace nautilus {

std::optional<uint64_t> sysctl_value(const char* name) noexcept {
  // Some of these are 32 bits wide and some 64.
  uint64_t value = 0;
  size_t length = sizeof value;
  if (::sysctlbyname(name, &value, &length, nullptr, 0) != 0) return std::nullopt;
  if (length == sizeof(uint32_t)) return static_cast<uint32_t>(value);
  if (length == sizeof(uint64_t)) return value;
  return std::nullopt;
}

uint64_t wired_bytes_of_host() noexcept {
  vm_statistics64_data_t statistics{};
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  // mach_host_self() makes a port name that lives until the process ends, so it is asked for once.
  static const mach_port_t host = ::mach_host_self();
  if (::host_statistics64(host, HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&statistics), &count) !=
      KERN_SUCCESS) {
    return 0;
  }
  return uint64_t{statistics.wire_count} * vm_page_bytes();
}

uint64_t vm_page_bytes() noexcept { return static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace nautilus
