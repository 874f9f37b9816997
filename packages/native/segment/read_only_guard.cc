// The handler runs in a process that is about to die and may hold any lock: it reads atomics, formats by hand
// and calls write(2), sigaction(2) and the handler that was there before (V8 uses SIGSEGV for WebAssembly).
#include "segment/read_only_guard.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace nautilus {
namespace {

constexpr size_t kShownPathBytes = 200;

// A list that only grows; entries are reused. base 0 means unused. Never freed: the handler may be reading.
struct Guarded {
  std::atomic<uintptr_t> base{0};
  std::atomic<size_t> bytes{0};
  // Ends with a NUL; empty for a segment.
  std::array<std::atomic<char>, kShownPathBytes + 1> path{};
  Guarded* next = nullptr;
};

std::atomic<Guarded*> first_guarded{nullptr};
std::mutex change_mutex;
struct sigaction previous_segv;
struct sigaction previous_bus;
std::atomic<bool> installed{false};

static_assert(std::atomic<uintptr_t>::is_always_lock_free);

class Line {
 public:
  void text(const char* words) noexcept {
    while (*words != '\0' && length_ < sizeof buffer_) buffer_[length_++] = *words++;
  }
  void number(uint64_t value) noexcept {
    char digits[21];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
      digits[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value != 0);
    text(digits + at);
  }
  void path(const Guarded& entry) noexcept {
    for (size_t at = 0; at < kShownPathBytes && length_ < sizeof buffer_; ++at) {
      const char letter = entry.path[at].load(std::memory_order_relaxed);
      if (letter == '\0') return;
      buffer_[length_++] = letter;
    }
  }
  void write_to_stderr() const noexcept {
    // Nothing can be done about a failed write here.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, buffer_, length_);
  }

 private:
  char buffer_[640];
  size_t length_ = 0;
};

const char* file_remedy(bool is_write) noexcept {
  return is_write ? " bytes: it is mapped read-only; map it as private to write into copies of its pages\n"
                  : " bytes: the file was cut short or its storage failed; let a new file take its place by rename, "
                    "and never shorten one that others map\n";
}

const char* grant_remedy(bool is_write) noexcept {
  return is_write ? " bytes: a granted segment cannot be written; copy the block, or lease a segment of your own\n"
                  : " bytes: the segment was cut short or its storage is gone; map sealed segments only\n";
}

void explain(int signal_number, uintptr_t address) noexcept {
  for (Guarded* entry = first_guarded.load(std::memory_order_acquire); entry != nullptr; entry = entry->next) {
    const uintptr_t base = entry->base.load(std::memory_order_acquire);
    const size_t bytes = entry->bytes.load(std::memory_order_relaxed);
    if (base == 0 || address < base || address - base >= bytes) continue;
    const bool is_write = signal_number == SIGSEGV;
    const bool is_file = entry->path[0].load(std::memory_order_relaxed) != '\0';
    Line line;
    line.text(is_write ? "nautilus: write into " : "nautilus: lost page of ");
    if (is_file) {
      line.text("the mapped file ");
      line.path(*entry);
      line.text(" at mapped offset ");
    } else {
      line.text("a read-only grant at segment offset ");
    }
    line.number(address - base);
    line.text(" of ");
    line.number(bytes);
    line.text(is_file ? file_remedy(is_write) : grant_remedy(is_write));
    line.write_to_stderr();
    return;
  }
}

void on_fault(int signal_number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  explain(signal_number, reinterpret_cast<uintptr_t>(info->si_addr));
  errno = saved_errno;
  const struct sigaction& previous = signal_number == SIGSEGV ? previous_segv : previous_bus;
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal_number, info, context);
    return;
  }
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal_number);
    return;
  }
  // Back to the default: the instruction faults again and the kernel ends the process with the true signal.
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal_number, &by_default, nullptr);
  // A signal that was sent by kill(2) and not by a fault would not come back by itself.
  if (info->si_code <= 0) ::raise(signal_number);
}

void install() {
  if (installed.exchange(true)) return;
  struct sigaction ours {};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  // The previous action must be known before ours can run.
  ::sigaction(SIGSEGV, nullptr, &previous_segv);
  ::sigaction(SIGBUS, nullptr, &previous_bus);
  ::sigaction(SIGSEGV, &ours, nullptr);
  ::sigaction(SIGBUS, &ours, nullptr);
}

// The end of a long path tells more than its beginning; control characters would forge lines of a log.
void store_path(Guarded& entry, std::string_view path) noexcept {
  path.remove_prefix(path.size() - std::min(path.size(), kShownPathBytes));
  for (size_t at = 0; at < path.size(); ++at) {
    const bool is_control = static_cast<unsigned char>(path[at]) < 0x20 || path[at] == 0x7f;
    entry.path[at].store(is_control ? '?' : path[at], std::memory_order_relaxed);
  }
  entry.path[path.size()].store('\0', std::memory_order_relaxed);
}

void guard(const std::byte* base, size_t bytes, std::string_view path) {
  const std::lock_guard lock(change_mutex);
  install();
  Guarded* entry = first_guarded.load(std::memory_order_relaxed);
  while (entry != nullptr && entry->base.load(std::memory_order_relaxed) != 0) entry = entry->next;
  if (entry == nullptr) {
    entry = new Guarded;
    entry->next = first_guarded.load(std::memory_order_relaxed);
    first_guarded.store(entry, std::memory_order_release);
  }
  store_path(*entry, path);
  entry->bytes.store(bytes, std::memory_order_relaxed);
  entry->base.store(reinterpret_cast<uintptr_t>(base), std::memory_order_release);
}

}  // namespace

void guard_read_only(const std::byte* base, size_t bytes) { guard(base, bytes, {}); }

void guard_file(const std::byte* base, size_t bytes, std::string_view path) { guard(base, bytes, path); }

void unguard(const std::byte* base) noexcept {
  const std::lock_guard lock(change_mutex);
  for (Guarded* entry = first_guarded.load(std::memory_order_relaxed); entry != nullptr; entry = entry->next) {
    if (entry->base.load(std::memory_order_relaxed) != reinterpret_cast<uintptr_t>(base)) continue;
    entry->base.store(0, std::memory_order_release);
    return;
  }
}

}  // namespace nautilus
