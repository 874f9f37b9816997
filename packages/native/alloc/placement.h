// The contract between an arena and the strategy that finds room in its segment. A strategy knows offsets
// only: it never sees the memory it manages, so the same code serves a shared segment and a device heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace nautilus {

// A range that a live block takes, rounding included; offset and bytes are multiples of the granule.
struct Placement {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// Newest-first order, for strategies that can return to an earlier state.
class StackOrder {
 public:
  virtual ~StackOrder() = default;
  virtual uint64_t mark() const noexcept = 0;
  // False when the block that was newest at the mark has been freed since.
  virtual bool holds(uint64_t mark) const noexcept = 0;
  // The handle of the newest block if it came after the mark.
  virtual std::optional<uint64_t> newest_after(uint64_t mark) const noexcept = 0;
};

class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  // Makes room in the metadata for one more block, its release included. The only call that may throw
  // (std::bad_alloc); it changes nothing that can be observed, so a failure leaves the arena whole.
  virtual void reserve(size_t live_blocks, uint64_t alignment) = 0;

  // bytes is a multiple of the granule, alignment a power of two and at least the granule.
  virtual std::optional<Placement> allocate(uint64_t bytes, uint64_t alignment, uint64_t handle) noexcept = 0;

  // False, and nothing changed, when the strategy's order forbids it.
  virtual bool release(const Placement& placement, uint64_t handle) noexcept = 0;

  virtual uint64_t free_bytes() const noexcept = 0;
  virtual uint64_t largest_free_bytes() const noexcept = 0;

  virtual bool can_place_at() const noexcept { return false; }
  virtual std::optional<Placement> allocate_at(uint64_t /*offset*/, uint64_t /*bytes*/) noexcept {
    return std::nullopt;
  }
  virtual StackOrder* stack_order() noexcept { return nullptr; }
};

constexpr uint64_t align_up(uint64_t value, uint64_t alignment) noexcept {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace nautilus
