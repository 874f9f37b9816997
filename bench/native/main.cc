// The C++ half of `npm run bench:alloc`. bench/src/alloc builds and starts it, hands it traces, and judges.
#include <cstring>
#include <exception>

#include "boost_heap.h"
#include "peers.h"
#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr const char* kSections[] = {"pairs", "tail", "replay", "fullness", "moving", "lifetime"};

int usage() {
  std::fprintf(stderr,
               "usage: bench_alloc [--quick] [--section pairs|tail|replay|fullness|moving|lifetime] "
               "[--trace NAME FILE]...\n");
  return 2;
}

uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

void run(Setting& setting, const std::string& section, const std::vector<Trace>& traces) {
  const auto wanted = [&](const char* name) { return section.empty() || section == name; };
  if (wanted("pairs")) measure_pairs(setting);
  if (wanted("replay")) measure_replay(setting, traces);
  if (wanted("lifetime")) measure_lifetime(setting);
  if (wanted("fullness")) measure_fullness(setting);
  if (wanted("moving")) measure_moving(setting);
  if (wanted("tail")) measure_tail(setting);
}

int main_of(int count, char** arguments) {
  if (count == 7 && std::strcmp(arguments[1], "--attach") == 0) {
    return attach_and_report(static_cast<int>(number(arguments[2])), number(arguments[3]),
                             static_cast<int>(number(arguments[4])), number(arguments[5]), number(arguments[6]));
  }
  Report report;
  Setting setting{report, {}, Ticks::calibrate(), 11, 1'000'000, arguments[0]};
  std::string section;
  std::vector<Trace> traces;
  for (int at = 1; at < count; ++at) {
    const std::string option = arguments[at];
    if (option == "--quick") {
      setting.repetitions = 3;
      setting.many_blocks = 50'000;
    } else if (option == "--section" && at + 1 < count) {
      section = arguments[++at];
      if (std::find(std::begin(kSections), std::end(kSections), section) == std::end(kSections)) return usage();
    } else if (option == "--trace" && at + 2 < count) {
      traces.push_back(read_trace(arguments[at + 1], arguments[at + 2]));
      at += 2;
    } else {
      return usage();
    }
  }
  setting.peers = find_peers(report);
#if !NAUTILUS_BENCH_HAS_BOOST
  report.skipped("Boost.Interprocess", "its headers were not found when the harness was compiled",
                 "sudo apt-get install libboost-dev");
#endif
  run(setting, section, traces);
  return 0;
}

}  // namespace
}  // namespace nautilus::bench

int main(int count, char** arguments) {
  try {
    return nautilus::bench::main_of(count, arguments);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
