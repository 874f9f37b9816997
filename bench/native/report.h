// What was measured, one line of JSON each, for bench/src/alloc, which knows the goals. Nothing here judges.
#pragma once

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace nautilus::bench {

class Report {
 public:
  // `who` measured itself at `what`.
  void measured(const std::string& what, const std::string& who, double value, const char* unit) {
    std::printf("{\"what\":\"%s\",\"who\":\"%s\",\"value\":%.17g,\"unit\":\"%s\"}\n", escaped(what).c_str(),
                escaped(who).c_str(), value, unit);
    std::fflush(stdout);
  }
  // `remedy` may be empty when nothing can be done.
  void skipped(const std::string& who, const std::string& reason, const std::string& remedy) {
    std::printf("{\"skipped\":\"%s\",\"reason\":\"%s\",\"remedy\":\"%s\"}\n", escaped(who).c_str(),
                escaped(reason).c_str(), escaped(remedy).c_str());
    std::fflush(stdout);
  }

 private:
  static std::string escaped(const std::string& text) {
    std::string result;
    for (const char letter : text) {
      if (letter == '"' || letter == '\\') result += '\\';
      if (static_cast<unsigned char>(letter) < 0x20) {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", letter);
        result += code;
      } else {
        result += letter;
      }
    }
    return result;
  }
};

// 1000000 as a person writes it.
inline std::string grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string result;
  for (size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) result += ',';
    result += digits[at];
  }
  return result;
}

}  // namespace nautilus::bench
