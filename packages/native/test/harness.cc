// Runs what was registered and ends with the counts in one line, for whoever adds up all suites.
#include "test/harness.h"

#include <cstdio>
#include <utility>
#include <vector>

namespace nautilus::test {
namespace {

using Entry = std::pair<const char*, std::function<void()>>;

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

}  // namespace

bool add(const char* name, std::function<void()> body) {
  entries().emplace_back(name, std::move(body));
  return true;
}

int run_all() {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  for (const auto& [name, body] : entries()) {
    try {
      body();
      ++passed;
    } catch (const Skipped& skip) {
      ++skipped;
      std::printf("skipped  %s: %s\n", name, skip.reason.c_str());
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAILED   %s\n         %s\n", name, error.what());
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace nautilus::test

int main() { return nautilus::test::run_all(); }
