// Replaces the heap of the whole test program, which a language allows once: every test shares this one.
#include "test/failing_heap.h"

#include <cstdlib>
#include <new>

namespace nautilus::test {

int64_t heap_allocations_left = -1;

}  // namespace nautilus::test

namespace {

void grant() {
  int64_t& left = nautilus::test::heap_allocations_left;
  if (left == 0) throw std::bad_alloc();
  if (left > 0) --left;
}

}  // namespace

void* operator new(size_t bytes) {
  grant();
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  grant();
  const auto multiple = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(multiple, (bytes + multiple - 1) / multiple * multiple)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
