// A test harness of one page: tests register themselves, an expectation that fails names its line and values.
#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nautilus::test {

struct Skipped {
  std::string reason;
};

// Registers at static initialisation; the value only exists to make a variable of it.
bool add(std::string name, std::function<void()> body);
// Those whose name contains the words.
int run_all(std::string_view only);

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

template <typename A, typename B>
void expect_equal(const A& found, const B& expected, const char* text, const char* file, int line) {
  if (found == expected) return;
  std::ostringstream what;
  what << text << ": expected " << expected << ", found " << found;
  fail(file, line, what.str());
}

}  // namespace nautilus::test

#define NAUTILUS_JOIN_(a, b) a##b
#define NAUTILUS_JOIN(a, b) NAUTILUS_JOIN_(a, b)
#define TEST(name)                                                                                     \
  static void NAUTILUS_JOIN(body_, __LINE__)();                                                        \
  static const bool NAUTILUS_JOIN(added_, __LINE__) =                                                  \
      ::nautilus::test::add(name, NAUTILUS_JOIN(body_, __LINE__));                                     \
  static void NAUTILUS_JOIN(body_, __LINE__)()
#define EXPECT(condition) \
  do {                    \
    if (!(condition)) ::nautilus::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)
#define EXPECT_EQUAL(found, expected) \
  ::nautilus::test::expect_equal((found), (expected), #found, __FILE__, __LINE__)
