// Moving figures of the whole host: three small files, read every second.
#include <cstdlib>

#include "os/failure.h"
#include "probe/linux/proc_file.h"
#include "probe/probe.h"

namespace nautilus {
namespace {

uint64_t kilobytes(const std::string& meminfo, const char* key) {
  const std::optional<uint64_t> value = number_after(meminfo, key);
  if (!value) throw Failure(ErrorCode::kSystem, std::string("/proc/meminfo has no ") + key);
  return *value * 1024;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", total in microseconds.
void read_pressure(const std::string& text, const char* key, std::optional<uint64_t>& total_us,
                   std::optional<double>& avg10) {
  const std::optional<std::string> line = line_after(text, key);
  if (!line) return;
  const size_t total_at = line->find("total=");
  const size_t avg10_at = line->find("avg10=");
  if (total_at != std::string::npos) total_us = std::strtoull(line->c_str() + total_at + 6, nullptr, 10);
  if (avg10_at != std::string::npos) avg10 = std::strtod(line->c_str() + avg10_at + 6, nullptr);
}

}  // namespace

HostMemory read_host_memory() {
  const std::optional<std::string> meminfo = read_small_file("/proc/meminfo");
  if (!meminfo) throw Failure(ErrorCode::kSystem, "/proc/meminfo cannot be read");
  HostMemory memory;
  memory.total_bytes = kilobytes(*meminfo, "MemTotal:");
  memory.available_bytes = kilobytes(*meminfo, "MemAvailable:");
  memory.swap_total_bytes = kilobytes(*meminfo, "SwapTotal:");
  memory.swap_free_bytes = kilobytes(*meminfo, "SwapFree:");
  if (const auto vmstat = read_small_file("/proc/vmstat")) memory.major_faults = number_after(*vmstat, "pgmajfault ");
  if (const auto pressure = read_small_file("/proc/pressure/memory")) {
    read_pressure(*pressure, "some ", memory.psi_some_total_us, memory.psi_some_avg10);
    read_pressure(*pressure, "full ", memory.psi_full_total_us, memory.psi_full_avg10);
  }
  return memory;
}

}  // namespace nautilus
