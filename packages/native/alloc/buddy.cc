// A block of order k lies at a multiple of its size, so its twin is found by flipping one bit of its number
// and its alignment is free: a request for more alignment than size takes a block of that size.
#include "alloc/buddy.h"

#include <algorithm>
#include <bit>

namespace nautilus {

Buddy::Buddy(uint64_t capacity, uint64_t granule) : granule_(granule) {
  const uint64_t granules = capacity / granule;
  const size_t orders = static_cast<size_t>(std::bit_width(granules));
  free_.reserve(orders);
  for (size_t order = 0; order < orders; ++order) free_.emplace_back(granules >> order);
  uint64_t offset = 0;
  for (size_t order = orders; order-- > 0;) {
    if ((granules >> order) & 1) {
      put(offset, order);
      offset += bytes_of(order);
    }
  }
}

void Buddy::put(uint64_t offset, size_t order) noexcept {
  free_[order].insert(offset / bytes_of(order));
  free_orders_ |= uint64_t{1} << order;
  free_bytes_ += bytes_of(order);
}

void Buddy::take(uint64_t offset, size_t order) noexcept {
  free_[order].erase(offset / bytes_of(order));
  if (free_[order].is_empty()) free_orders_ &= ~(uint64_t{1} << order);
  free_bytes_ -= bytes_of(order);
}

std::optional<Placement> Buddy::allocate(uint64_t bytes, uint64_t alignment, uint64_t) noexcept {
  const uint64_t granules = std::max(bytes, alignment) / granule_;
  const size_t wanted = static_cast<size_t>(std::bit_width(granules - 1));
  if (wanted >= free_.size()) return std::nullopt;
  const uint64_t fitting = free_orders_ >> wanted << wanted;
  if (fitting == 0) return std::nullopt;
  size_t order = static_cast<size_t>(std::countr_zero(fitting));
  const uint64_t offset = free_[order].lowest() * bytes_of(order);
  take(offset, order);
  while (order > wanted) {
    --order;
    put(offset + bytes_of(order), order);
  }
  return Placement{offset, bytes_of(wanted)};
}

bool Buddy::release(const Placement& placement, uint64_t) noexcept {
  size_t order = static_cast<size_t>(std::countr_zero(placement.bytes / granule_));
  uint64_t number = placement.offset / placement.bytes;
  while (order + 1 < free_.size() && free_[order].contains(number ^ 1)) {
    take((number ^ 1) * bytes_of(order), order);
    number >>= 1;
    ++order;
  }
  put(number * bytes_of(order), order);
  return true;
}

uint64_t Buddy::largest_free_bytes() const noexcept {
  if (free_orders_ == 0) return 0;
  return bytes_of(static_cast<size_t>(std::bit_width(free_orders_) - 1));
}

}  // namespace nautilus
