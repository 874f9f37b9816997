// As much JSON as a report needs.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace nautilus {

inline std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(letter));
      quoted += escaped;
    } else {
      quoted += letter;
    }
  }
  return quoted + '"';
}

inline std::string json_list(const std::vector<std::string>& values) {
  std::string list = "[";
  for (const std::string& value : values) list += (list.size() > 1 ? "," : "") + value;
  return list + "]";
}

}  // namespace nautilus
