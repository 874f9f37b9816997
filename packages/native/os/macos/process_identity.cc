// macOS has one namespace of process numbers, and sysctl tells start time, state and the session of the boot. This
// file has never been compiled or run on a Mac.
#include "os/process_identity.h"

#include <sys/sysctl.h>
#include <sys/types.h>

#include <cerrno>

namespace nautilus {

ProcessFacts facts_of_process(uint64_t process) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(process)};
  struct kinfo_proc about {};
  size_t bytes = sizeof about;
  if (::sysctl(name, 4, &about, &bytes, nullptr, 0) != 0) {
    return {errno == ESRCH ? ProcessState::kGone : ProcessState::kUnclear, 0};
  }
  if (bytes == 0 || about.kp_proc.p_stat == SZOMB) return {ProcessState::kGone, 0};
  const struct timeval started = about.kp_proc.p_starttime;
  return {ProcessState::kRuns,
          static_cast<uint64_t>(started.tv_sec) * 1'000'000 + static_cast<uint64_t>(started.tv_usec)};
}

uint64_t own_name_space() { return 1; }

// FNV-1a over the text.
uint64_t boot_identity() {
  char boot[64] = {};
  size_t bytes = sizeof boot - 1;
  if (::sysctlbyname("kern.bootsessionuuid", boot, &bytes, nullptr, 0) != 0) return 0;
  uint64_t hash = 0xcbf29ce484222325;
  for (const char* at = boot; *at != 0; ++at) hash = (hash ^ static_cast<unsigned char>(*at)) * 0x100000001b3;
  return hash == 0 ? 1 : hash;
}

}  // namespace nautilus
