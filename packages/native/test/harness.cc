// Runs what was registered and ends with the counts in one line, for whoever adds up all suites.
#include "test/harness.h"

#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

namespace nautilus::test {
namespace {

constexpr double kSlowSeconds = 3;

using Entry = std::pair<std::string, std::function<void()>>;

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

}  // namespace

bool add(std::string name, std::function<void()> body) {
  entries().emplace_back(std::move(name), std::move(body));
  return true;
}

int run_all(std::string_view only) {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  for (const auto& [name, body] : entries()) {
    if (name.find(only) == std::string::npos) continue;
    const auto begun = std::chrono::steady_clock::now();
    try {
      body();
      ++passed;
    } catch (const Skipped& skip) {
      ++skipped;
      std::printf("skipped  %s: %s\n", name.c_str(), skip.reason.c_str());
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAILED   %s\n         %s\n", name.c_str(), error.what());
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (seconds > kSlowSeconds) std::printf("slow     %s: %.1f s\n", name.c_str(), seconds);
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace nautilus::test

// `tests [PART OF A NAME]`
int main(int count, char** words) { return nautilus::test::run_all(count > 1 ? words[1] : ""); }
