// A heap that can be told to fail, for every test program that links it: what a piece of code does when memory runs
// out at each of its allocations is tried out, not reasoned about.
#pragma once

#include <cstdint>

namespace nautilus::test {

// Allocations by operator new that still succeed; negative: all. One thread at a time may use it.
extern int64_t heap_allocations_left;

// Sets it for a scope.
class FailingHeap {
 public:
  explicit FailingHeap(int64_t allocations) noexcept { heap_allocations_left = allocations; }
  ~FailingHeap() { heap_allocations_left = -1; }
  FailingHeap(const FailingHeap&) = delete;
  FailingHeap& operator=(const FailingHeap&) = delete;
};

}  // namespace nautilus::test
