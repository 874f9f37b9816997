// Plain read(2) into a string: called every second, so no streams and no locale.
#include "probe/linux/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "os/unique_descriptor.h"

namespace nautilus {

std::optional<std::string> read_small_file(const std::string& path) {
  const UniqueDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t length = ::read(file.get(), part, sizeof part);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return std::nullopt;
    if (length == 0) return text;
    text.append(part, static_cast<size_t>(length));
  }
}

std::optional<std::string> line_after(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(key)) return trimmed(line.substr(key.size()));
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<uint64_t> number_after(std::string_view text, std::string_view key) {
  const std::optional<std::string> rest = line_after(text, key);
  if (!rest) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest->data(), rest->data() + rest->size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\r";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

}  // namespace nautilus
