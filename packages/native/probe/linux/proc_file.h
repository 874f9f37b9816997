// Small readers of /proc and /sys: whole files, because the kernel makes them up at each read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nautilus {

// Nothing when the file cannot be opened or read.
std::optional<std::string> read_small_file(const std::string& path);
// The number after `key` at the start of a line ("MemTotal:   123 kB" with key "MemTotal:").
std::optional<uint64_t> number_after(std::string_view text, std::string_view key);
// The rest of the line after `key`, trimmed.
std::optional<std::string> line_after(std::string_view text, std::string_view key);
std::string trimmed(std::string_view text);

}  // namespace nautilus
