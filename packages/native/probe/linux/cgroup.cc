// Version 2 counts when it has the memory controller; a hybrid host keeps it in version 1. Inside a container
// the path of /proc/self/cgroup may lie above the mount point: then the mount itself is the cgroup.
#include "probe/linux/cgroup.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "probe/linux/proc_file.h"

namespace nautilus {
namespace {

struct Mount {
  std::string root;   // of the hierarchy, seen at the mount point
  std::string point;
};

std::optional<Mount> find_mount(bool is_v2) {
  const std::optional<std::string> text = read_small_file("/proc/self/mountinfo");
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string id, parent, device, type, source, options;
    Mount mount;
    before >> id >> parent >> device >> mount.root >> mount.point;
    after >> type >> source >> options;
    if (is_v2 && type == "cgroup2") return mount;
    if (!is_v2 && type == "cgroup" && (',' + options + ',').find(",memory,") != std::string::npos) return mount;
  }
  return std::nullopt;
}

// "0::/path" for version 2, "4:memory:/path" for version 1.
std::string own_path(bool is_v2) {
  const std::optional<std::string> text = read_small_file("/proc/self/cgroup");
  if (!text) return "/";
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_memory = (',' + controllers + ',').find(",memory,") != std::string::npos;
    if (is_v2 ? controllers.empty() : is_memory) return line.substr(second + 1);
  }
  return "/";
}

std::optional<uint64_t> read_limit(const std::string& file) {
  const std::optional<std::string> text = read_small_file(file);
  if (!text) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  // "max" in version 2; version 1 says "unlimited" by a number near 2^63.
  if (error != std::errc() || value >= (uint64_t{1} << 62)) return std::nullopt;
  return value;
}

std::optional<uint64_t> smallest_limit(const Mount& mount, std::string path, const char* file) {
  if (mount.root != "/" && path.starts_with(mount.root)) path.erase(0, mount.root.size());
  std::optional<uint64_t> smallest;
  for (;;) {
    const std::optional<uint64_t> limit = read_limit(mount.point + path + "/" + file);
    if (limit) smallest = std::min(*limit, smallest.value_or(*limit));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return smallest;
    path.erase(slash);
  }
}

}  // namespace

CgroupFacts probe_cgroup() {
  CgroupFacts facts;
  if (const std::optional<Mount> mount = find_mount(true)) {
    const std::string controllers = read_small_file(mount->point + "/cgroup.controllers").value_or("");
    if ((' ' + trimmed(controllers) + ' ').find(" memory ") != std::string::npos) {
      facts.version = 2;
      facts.memory_controller = true;
      facts.limit_bytes = smallest_limit(*mount, own_path(true), "memory.max");
      return facts;
    }
    facts.version = 2;
    facts.reason = "cgroup 2 is mounted at " + mount->point + " without the memory controller";
  }
  if (const std::optional<Mount> mount = find_mount(false)) {
    facts.version = 1;
    facts.memory_controller = true;
    facts.reason.reset();
    facts.limit_bytes = smallest_limit(*mount, own_path(false), "memory.limit_in_bytes");
    return facts;
  }
  if (!facts.version) facts.reason = "no cgroup file system is mounted";
  return facts;
}

}  // namespace nautilus
