// The handler runs in a process that is about to die and may hold any lock: it reads atomics, formats by hand
// and calls write(2), sigaction(2) and the handler that was there before (V8 uses SIGSEGV for WebAssembly).
#include "segment/read_only_guard.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace nautilus {
namespace {

// A list that only grows; entries are reused. base 0 means unused. Never freed: the handler may be reading.
struct Guarded {
  std::atomic<uintptr_t> base{0};
  std::atomic<size_t> bytes{0};
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
  void write_to_stderr() const noexcept {
    // Nothing can be done about a failed write here.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, buffer_, length_);
  }

 private:
  char buffer_[384];
  size_t length_ = 0;
};

void explain(int signal_number, uintptr_t address) noexcept {
  for (Guarded* entry = first_guarded.load(std::memory_order_acquire); entry != nullptr; entry = entry->next) {
    const uintptr_t base = entry->base.load(std::memory_order_acquire);
    const size_t bytes = entry->bytes.load(std::memory_order_relaxed);
    if (base == 0 || address < base || address - base >= bytes) continue;
    Line line;
    line.text(signal_number == SIGSEGV ? "nautilus: write into a read-only grant at segment offset "
                                       : "nautilus: lost page of a read-only grant at segment offset ");
    line.number(address - base);
    line.text(" of ");
    line.number(bytes);
    line.text(signal_number == SIGSEGV
                  ? " bytes: a granted segment cannot be written; copy the block, or lease a segment of your own\n"
                  : " bytes: the segment was cut short or its storage is gone; map sealed segments only\n");
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

}  // namespace

void guard_read_only(const std::byte* base, size_t bytes) {
  const std::lock_guard lock(change_mutex);
  install();
  Guarded* entry = first_guarded.load(std::memory_order_relaxed);
  while (entry != nullptr && entry->base.load(std::memory_order_relaxed) != 0) entry = entry->next;
  if (entry == nullptr) {
    entry = new Guarded;
    entry->next = first_guarded.load(std::memory_order_relaxed);
    first_guarded.store(entry, std::memory_order_release);
  }
  entry->bytes.store(bytes, std::memory_order_relaxed);
  entry->base.store(reinterpret_cast<uintptr_t>(base), std::memory_order_release);
}

void unguard_read_only(const std::byte* base) noexcept {
  const std::lock_guard lock(change_mutex);
  for (Guarded* entry = first_guarded.load(std::memory_order_relaxed); entry != nullptr; entry = entry->next) {
    if (entry->base.load(std::memory_order_relaxed) != reinterpret_cast<uintptr_t>(base)) continue;
    entry->base.store(0, std::memory_order_release);
    return;
  }
}

}  // namespace nautilus
