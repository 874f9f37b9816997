// Walks a process through its work on a ledger instruction by instruction, and after every instruction that changed
// the ledger judges what a death there would have left behind.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

#include "kill/stage.h"

namespace nautilus::kill {
namespace {

constexpr uint64_t kSegmentBytes = uint64_t{1} << 16;

struct Totals {
  uint64_t instructions = 0;
  uint64_t states = 0;  // of ledger and journal, each judged once
  uint64_t operations = 0;
  uint64_t corrupt = 0;
  uint64_t lost = 0;
  uint64_t leaked = 0;
  std::string what;
};

[[noreturn]] void be_stepped(const Stage& stage, const StrategyEntry& strategy, uint64_t seed, uint32_t operations) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(4);
  Journal& journal = stage.journal();
  // Half of the work happens before, so that the steps meet a ledger in use.
  {
    initialise_ledger(stage.ledger(), kSegmentBytes, kGranule, 7);
    const std::unique_ptr<Arena> arena = strategy.make(stage.ledger(), stage.geometry());
    work(*arena, stage.ledger(), journal, seed, operations);
  }
  Operation& recovery = journal.begin(Kind::kSilent, 0, 0, 0);
  ::raise(SIGSTOP);
  const std::unique_ptr<Arena> arena = strategy.make(stage.ledger(), stage.geometry());
  if (!arena->recover()) ::_exit(3);
  Journal::finish(recovery);
  work(*arena, stage.ledger(), journal, seed + 1, operations);
  ::_exit(journal.failed == 0 ? 0 : 3);
}

// What a judge sees: the ledger's used part, and how far the journal is.
class Seen {
 public:
  explicit Seen(const Stage& stage) : stage_(stage), last_(stage.ledger().bytes) {}

  bool is_new() {
    const Journal& journal = stage_.journal();
    const uint32_t used = stage_.ledger().header().slots_used;
    const size_t bytes = kLedgerHeaderBytes + size_t{used} * sizeof(Slot);
    const uint64_t progress = journal.count * 2 + journal.operations[journal.count - 1].is_done;
    if (progress == progress_ && bytes == bytes_ && std::memcmp(last_.data(), stage_.ledger().base, bytes) == 0) {
      return false;
    }
    std::memcpy(last_.data(), stage_.ledger().base, bytes);
    bytes_ = bytes;
    progress_ = progress;
    return true;
  }

 private:
  const Stage& stage_;
  std::vector<std::byte> last_;
  size_t bytes_ = 0;
  uint64_t progress_ = 0;
};

void judge(const Stage& stage, const StrategyEntry& strategy, Totals& totals) {
  Model model;
  const Verdict verdict = check(strategy, stage.copy(), stage.journal(), model, totals.states);
  ++totals.states;
  totals.corrupt += verdict.corrupt;
  totals.lost += verdict.lost;
  totals.leaked += verdict.leaked;
  if (totals.what.empty() && !verdict.is_clean()) {
    totals.what = "instruction " + std::to_string(totals.instructions) + ", operation " +
                  std::to_string(stage.journal().count) + ": " + verdict.what;
  }
}

// Waits for the child's next stop; false when it ended.
bool wait_for_stop(pid_t child, int& status) {
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  return WIFSTOPPED(status);
}

Totals run(const StrategyEntry& strategy, uint64_t seed, uint32_t operations) {
  Stage stage(kSegmentBytes);
  stage.begin_empty();
  stage.journal().clear();
  Totals totals;
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) be_stepped(stage, strategy, seed, operations);
  int status = 0;
  Seen seen(stage);
  while (wait_for_stop(child, status)) {
    if (seen.is_new()) judge(stage, strategy, totals);
    ++totals.instructions;
    if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) throw std::runtime_error("PTRACE_SINGLESTEP failed");
  }
  totals.operations = stage.journal().count;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    ++totals.corrupt;
    if (totals.what.empty()) totals.what = "the process ended with status " + std::to_string(status);
  }
  return totals;
}

// Nothing when a process may be stepped here, else the reason.
std::string why_not() {
  const pid_t child = ::fork();
  if (child < 0) return "fork: " + std::string(std::strerror(errno));
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(errno);
    ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  if (!wait_for_stop(child, status)) return "PTRACE_TRACEME: " + std::string(std::strerror(WEXITSTATUS(status)));
  std::string reason;
  if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) {
    reason = "PTRACE_SINGLESTEP: " + std::string(std::strerror(errno));
  }
  ::kill(child, SIGKILL);
  while (wait_for_stop(child, status)) {
  }
  return reason;
}

}  // namespace
}  // namespace nautilus::kill

int main(int count, char** words) {
  using namespace nautilus;
  uint32_t operations = 60;
  uint64_t seed = 1;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string name = words[at];
    const uint64_t value = std::strtoull(words[at + 1], nullptr, 10);
    if (name == "--operations") operations = static_cast<uint32_t>(value);
    if (name == "--seed") seed = value;
  }
  const int all = static_cast<int>(strategies().size());
  const std::string reason = kill::why_not();
  if (!reason.empty()) {
    std::printf("skipped  a process cannot be stepped here: %s\n", reason.c_str());
    std::printf("0 passed, 0 failed, %d skipped\n", all);
    return 0;
  }
  int failed = 0;
  for (const StrategyEntry& strategy : strategies()) {
    const kill::Totals totals = kill::run(strategy, seed, operations);
    std::printf("%-9s  %llu instructions  %llu states judged  %llu operations  %llu corrupt  %llu lost  %llu leaked\n",
                std::string(strategy.name).c_str(), static_cast<unsigned long long>(totals.instructions),
                static_cast<unsigned long long>(totals.states), static_cast<unsigned long long>(totals.operations),
                static_cast<unsigned long long>(totals.corrupt), static_cast<unsigned long long>(totals.lost),
                static_cast<unsigned long long>(totals.leaked));
    if (!totals.what.empty()) std::printf("           first: %s\n", totals.what.c_str());
    std::fflush(stdout);
    if (totals.corrupt + totals.lost + totals.leaked != 0) ++failed;
  }
  std::printf("%d passed, %d failed, 0 skipped\n", all - failed, failed);
  return failed == 0 ? 0 : 1;
}
