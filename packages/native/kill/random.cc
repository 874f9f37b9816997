// Kills a process at random moments of its work on a ledger and judges what it left behind. Most processes begin by
// recovering what the one before them left, so recovery itself is killed as well.
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>
#include <stdexcept>

#include "kill/stage.h"

namespace nautilus::kill {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kSegmentBytes = uint64_t{1} << 20;
constexpr int kLongestChain = 12;  // processes that follow each other on one ledger

struct Totals {
  uint64_t points = 0;
  uint64_t during_recovery = 0;
  uint64_t open = 0;  // kills inside an operation
  uint64_t operations = 0;
  uint64_t corrupt = 0;
  uint64_t lost = 0;
  uint64_t leaked = 0;
  std::vector<uint64_t> recover_nanoseconds;
  std::string what;
};

[[noreturn]] void be_killed(const Stage& stage, const StrategyEntry& strategy, uint64_t seed, pid_t parent) {
  Journal& journal = stage.journal();
  Operation& recovery = journal.begin(Kind::kSilent, 0, 0, 0);
  store_release(journal.started, uint32_t{1});
  const std::unique_ptr<Arena> arena = strategy.make(stage.ledger(), stage.geometry());
  if (!arena->recover() || arena->left_out() != 0) {
    journal.failed = __LINE__;
    ::_exit(3);
  }
  Journal::finish(recovery);
  work(*arena, stage.ledger(), journal, seed, Journal::kMost);
  while (::getppid() == parent) ::usleep(1000);
  ::_exit(3);
}

// Microseconds to milliseconds, every order of magnitude as often.
std::chrono::nanoseconds random_delay(std::mt19937_64& random) {
  const double exponent = std::uniform_real_distribution<double>(2.5, 6.5)(random);
  return std::chrono::nanoseconds(static_cast<int64_t>(std::pow(10.0, exponent)));
}

void kill_after(const Stage& stage, pid_t child, std::chrono::nanoseconds delay) {
  while (load_acquire(stage.journal().started) == 0) ::sched_yield();
  const Clock::time_point until = Clock::now() + delay;
  while (Clock::now() < until) {
    if (delay > std::chrono::microseconds(50)) ::sched_yield();
  }
  ::kill(child, SIGKILL);
}

// False when the process ended by itself.
bool run_one(const Stage& stage, const StrategyEntry& strategy, std::mt19937_64& random) {
  stage.journal().clear();
  const uint64_t seed = random();
  const std::chrono::nanoseconds delay = random_delay(random);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) be_killed(stage, strategy, seed, parent);
  kill_after(stage, child, delay);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void judge(const Stage& stage, const StrategyEntry& strategy, Model& model, uint64_t seed, Totals& totals) {
  const Journal& journal = stage.journal();
  if (journal.count == 1 && journal.operations[0].is_done == 0) ++totals.during_recovery;
  if (journal.operations[journal.count - 1].is_done == 0) ++totals.open;
  totals.operations += journal.count;
  const Verdict verdict = check(strategy, stage.copy(), journal, model, seed);
  ++totals.points;
  totals.corrupt += verdict.corrupt;
  totals.lost += verdict.lost;
  totals.leaked += verdict.leaked;
  totals.recover_nanoseconds.push_back(verdict.recover_nanoseconds);
  if (totals.what.empty()) totals.what = verdict.what;
}

Totals run(const StrategyEntry& strategy, uint64_t points, uint64_t seed) {
  std::mt19937_64 random(seed);
  Stage stage(kSegmentBytes);
  Totals totals;
  Model model;
  int chain = 0;
  while (totals.points < points) {
    if (chain-- == 0) {
      chain = 1 + static_cast<int>(random() % kLongestChain);
      model = {};
      stage.begin_empty();
    }
    if (!run_one(stage, strategy, random)) {
      ++totals.corrupt;
      totals.what = "the process ended by itself, before line " + std::to_string(stage.journal().failed);
      ++totals.points;
      chain = 0;
      continue;
    }
    judge(stage, strategy, model, random(), totals);
  }
  return totals;
}

void print(const StrategyEntry& strategy, Totals& totals) {
  std::sort(totals.recover_nanoseconds.begin(), totals.recover_nanoseconds.end());
  const std::vector<uint64_t>& times = totals.recover_nanoseconds;
  const double median = times.empty() ? 0 : static_cast<double>(times[times.size() / 2]) / 1000;
  const double most = times.empty() ? 0 : static_cast<double>(times.back()) / 1000;
  std::printf("%-9s  %6llu points  %llu corrupt  %llu lost  %llu leaked  (%llu inside an operation, %llu while recovering, "
              "%llu operations; recovery median %.0f us, most %.0f us)\n",
              std::string(strategy.name).c_str(), static_cast<unsigned long long>(totals.points),
              static_cast<unsigned long long>(totals.corrupt), static_cast<unsigned long long>(totals.lost),
              static_cast<unsigned long long>(totals.leaked), static_cast<unsigned long long>(totals.open),
              static_cast<unsigned long long>(totals.during_recovery),
              static_cast<unsigned long long>(totals.operations), median, most);
  if (!totals.what.empty()) std::printf("           first: %s\n", totals.what.c_str());
  std::fflush(stdout);
}

}  // namespace
}  // namespace nautilus::kill

int main(int count, char** words) {
  using namespace nautilus;
  uint64_t points = 500;
  uint64_t seed = std::random_device{}();
  std::string only;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at];
    const uint64_t value = std::strtoull(words[at + 1], nullptr, 10);
    if (name == "--points") points = value;
    if (name == "--seed") seed = value;
    if (name == "--strategy") only = words[at + 1];
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  int failed = 0;
  uint64_t left = points;
  size_t strategies_left = only.empty() ? strategies().size() : 1;
  const int all = static_cast<int>(strategies_left);
  for (const StrategyEntry& strategy : strategies()) {
    if (!only.empty() && strategy.name != only) continue;
    const uint64_t share = left / strategies_left--;
    left -= share;
    kill::Totals totals = kill::run(strategy, share, seed);
    kill::print(strategy, totals);
    if (totals.corrupt + totals.lost + totals.leaked != 0) ++failed;
  }
  std::printf("%d passed, %d failed, 0 skipped\n", all - failed, failed);
  return failed == 0 ? 0 : 1;
}
