// Linux tells start time and state of a process in /proc, its namespace as the inode of a link there, and every
// boot by a random number.
#include "os/process_identity.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "os/unique_descriptor.h"

namespace nautilus {
namespace {

// At most one page, which is more than each of these files has; empty when it cannot be read.
std::string read_file(const std::string& path) {
  const UniqueDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return {};
  char buffer[4096];
  ssize_t bytes = 0;
  do {
    bytes = ::read(file.get(), buffer, sizeof buffer);
  } while (bytes < 0 && errno == EINTR);
  return bytes > 0 ? std::string(buffer, static_cast<size_t>(bytes)) : std::string();
}

bool exists(uint64_t process) {
  const auto number = static_cast<pid_t>(process);
  if (number <= 0 || static_cast<uint64_t>(number) != process) return false;
  return ::kill(number, 0) == 0 || errno != ESRCH;
}

// The fields of /proc/<pid>/stat behind the name, which may hold blanks and brackets: state is field 3.
constexpr int kStateField = 3;
constexpr int kThreadsField = 20;
constexpr int kStartedField = 22;

std::string_view field_of(std::string_view stat, int field) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return {};
  stat.remove_prefix(std::min(stat.size(), name_end + 2));
  for (int at = kStateField; at < field; ++at) {
    const size_t blank = stat.find(' ');
    if (blank == std::string_view::npos) return {};
    stat.remove_prefix(blank + 1);
  }
  return stat.substr(0, stat.find(' '));
}

uint64_t number_of(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ProcessFacts facts_of_process(uint64_t process) {
  if (!exists(process)) return {ProcessState::kGone, 0};
  const std::string stat = read_file("/proc/" + std::to_string(process) + "/stat");
  const std::string_view state = field_of(stat, kStateField);
  // No /proc, or one that hides the processes of others.
  if (state.empty()) return {exists(process) ? ProcessState::kUnclear : ProcessState::kGone, 0};
  // A first thread that ended is a zombie too, while the others run.
  const bool is_over = (state == "Z" || state == "X") && number_of(field_of(stat, kThreadsField)) <= 1;
  return {is_over ? ProcessState::kGone : ProcessState::kRuns, number_of(field_of(stat, kStartedField))};
}

uint64_t own_name_space() {
  struct stat about {};
  return ::stat("/proc/self/ns/pid", &about) == 0 ? static_cast<uint64_t>(about.st_ino) : 0;
}

// FNV-1a over the text.
uint64_t boot_identity() {
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id");
  if (boot.empty()) return 0;
  uint64_t hash = 0xcbf29ce484222325;
  for (const char character : boot) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3;
  return hash == 0 ? 1 : hash;
}

}  // namespace nautilus
