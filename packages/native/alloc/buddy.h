// BUDDY: blocks are powers of two granules; a larger one is split in halves until it fits, and a freed half
// merges with its free twin at once. Every step is bounded by the number of orders, never by blocks. `prior` of a
// slot is the order of its room.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "alloc/bit_tree.h"
#include "alloc/strategy.h"

namespace nautilus {

class Buddy {
 public:
  static constexpr bool kPowerOfTwoRooms = true;  // told in the ledger, for maps and recovery

  // A capacity that is no power of two starts as the powers of two it consists of. May throw std::bad_alloc.
  Buddy(SlotTable& slots, Geometry geometry);
  Buddy(const Buddy&) = delete;
  Buddy& operator=(const Buddy&) = delete;

  void reserve(uint64_t) noexcept {}
  Placed allocate(uint64_t bytes, uint64_t alignment) noexcept;
  bool may_release(uint32_t) const noexcept { return true; }
  uint64_t release(uint32_t slot) noexcept;
  uint64_t room(uint32_t slot) const noexcept { return bytes_of(slots_[slot].prior); }
  uint64_t free_bytes() const noexcept { return free_bytes_; }
  uint64_t largest_free_bytes() const noexcept;
  bool adopt(uint32_t slot);
  void finish_adoption() noexcept {}
  Work& work() noexcept { return work_; }

  // In time of the free blocks: at each step the lowest of what the orders have next.
  template <typename Visit>
  void for_each_free(Visit visit) const {
    std::array<uint64_t, kMostOrders> starts;
    starts.fill(BitTree::kNone);
    for (uint32_t order = 0; order < orders_; ++order) starts[order] = free_from(0, order);
    for (;;) {
      const auto first = std::min_element(starts.begin(), starts.end());
      if (*first == BitTree::kNone) return;
      const auto order = static_cast<uint32_t>(first - starts.begin());
      const FreeRange block{*first, *first + bytes_of(order)};
      visit(block);
      *first = free_from(block.end, order);
    }
  }

 private:
  static constexpr size_t kMostOrders = 32;  // fewer than 2^32 granules

  struct Free {
    void operator()(uint64_t* words) const noexcept { std::free(words); }
  };

  uint64_t bytes_of(uint32_t order) const noexcept { return geometry_.granule << order; }
  uint64_t number_of(uint64_t offset, uint32_t order) const noexcept { return offset >> (granule_log2_ + order); }
  uint64_t offset_of(uint64_t number, uint32_t order) const noexcept { return number << (granule_log2_ + order); }
  void put(uint64_t number, uint32_t order) noexcept;
  void take(uint64_t number, uint32_t order) noexcept;
  // Where the first free block of this order at or behind an offset that is a multiple of its size begins.
  uint64_t free_from(uint64_t offset, uint32_t order) const noexcept {
    const uint64_t number = free_[order].next(number_of(offset, order));
    return number == BitTree::kNone ? number : offset_of(number, order);
  }

  SlotTable& slots_;
  Geometry geometry_;
  uint32_t granule_log2_;
  Work work_;
  uint64_t free_bytes_ = 0;
  uint64_t free_orders_ = 0;  // bit k: a free block of order k exists
  uint32_t orders_;
  std::array<BitTree, kMostOrders> free_;  // per order: the free blocks, numbered by offset / size
  std::unique_ptr<uint64_t, Free> words_;  // of all trees
};

}  // namespace nautilus
