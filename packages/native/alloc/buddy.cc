// A block of order k lies at a multiple of its size, so its twin is found by flipping one bit of its number
// and its alignment is free: a request for more alignment than size takes a block of that size.
#include "alloc/buddy.h"

#include <algorithm>
#include <bit>
#include <new>

namespace nautilus {
namespace {

// Two bits a granule, which must come untouched from the system: a huge segment then costs what is used of it only.
// glibc's calloc uses freed memory again and clears it by hand, but never when it is asked for more than 32 MiB.
constexpr uint64_t kSmallBytes = uint64_t{1} << 18;
constexpr uint64_t kFreshBytes = uint64_t{33} << 20;

}  // namespace

Buddy::Buddy(SlotTable& slots, Geometry geometry)
    : slots_(slots),
      geometry_(geometry),
      granule_log2_(static_cast<uint32_t>(std::countr_zero(geometry.granule))),
      orders_(static_cast<uint32_t>(std::bit_width(geometry.capacity >> granule_log2_))) {
  const uint64_t granules = geometry.capacity >> granule_log2_;
  uint64_t words = 0;
  for (uint32_t order = 0; order < orders_; ++order) words += BitTree::words_for(granules >> order);
  const uint64_t bytes = words * sizeof(uint64_t);
  words_.reset(static_cast<uint64_t*>(std::calloc(bytes > kSmallBytes ? std::max(bytes, kFreshBytes) : bytes, 1)));
  if (words_ == nullptr) throw std::bad_alloc();
  words = 0;
  for (uint32_t order = 0; order < orders_; ++order) {
    free_[order] = BitTree(granules >> order, words_.get() + words);
    words += BitTree::words_for(granules >> order);
  }
  uint64_t offset = 0;
  for (uint32_t order = orders_; order-- > 0;) {
    if (((granules >> order) & 1) == 0) continue;
    put(number_of(offset, order), order);
    free_bytes_ += bytes_of(order);
    offset += bytes_of(order);
  }
}

void Buddy::put(uint64_t number, uint32_t order) noexcept {
  free_[order].insert(number);
  free_orders_ |= uint64_t{1} << order;
}

void Buddy::take(uint64_t number, uint32_t order) noexcept {
  free_[order].erase(number);
  if (free_[order].is_empty()) free_orders_ &= ~(uint64_t{1} << order);
}

Placed Buddy::allocate(uint64_t bytes, uint64_t alignment) noexcept {
  const uint64_t granules = (std::max(bytes, alignment) + geometry_.granule - 1) >> granule_log2_;
  const auto wanted = static_cast<uint32_t>(std::bit_width(granules - 1));
  if (wanted >= orders_) return {};
  const uint64_t fitting = free_orders_ >> wanted;
  if (fitting == 0) return {};
  const uint32_t slot = slots_.take();
  if (slot == kNoSlot) return {};
  auto order = wanted + static_cast<uint32_t>(std::countr_zero(fitting));
  uint64_t number = free_[order].lowest();
  take(number, order);
  while (order > wanted) {
    work_.step();
    --order;
    number <<= 1;
    put(number + 1, order);
  }
  free_bytes_ -= bytes_of(order);
  Slot& at = slots_[slot];
  at.size_class = kNoClass;
  at.alignment_log2 = static_cast<uint8_t>(std::countr_zero(alignment));
  at.offset = offset_of(number, order);
  at.prior = order;
  return {slot, bytes_of(order)};
}

uint64_t Buddy::release(uint32_t slot) noexcept {
  uint32_t order = slots_[slot].prior;
  uint64_t number = number_of(slots_[slot].offset, order);
  const uint64_t room = bytes_of(order);
  free_bytes_ += room;
  while (order + 1 < orders_ && free_[order].contains(number ^ 1)) {
    work_.step();
    take(number ^ 1, order);
    number >>= 1;
    ++order;
  }
  put(number, order);
  slots_.give(slot);
  return room;
}

// Splits the free block that holds the place down to it.
bool Buddy::adopt(uint32_t slot) {
  const Slot& at = slots_[slot];
  const uint32_t wanted = at.prior;
  if (wanted >= orders_ || at.length == 0 || at.length > bytes_of(wanted)) return false;
  // A magazine believes the class of a room.
  if (at.size_class != kNoClass && class_granules(at.size_class) * geometry_.granule > bytes_of(wanted)) return false;
  if (at.offset % bytes_of(wanted) != 0 || at.offset >= geometry_.capacity) return false;
  uint32_t order = wanted;
  while (order < orders_ && !free_[order].contains(number_of(at.offset, order))) ++order;
  if (order == orders_) return false;
  take(number_of(at.offset, order), order);
  while (order > wanted) {
    --order;
    put(number_of(at.offset, order) ^ 1, order);
  }
  free_bytes_ -= bytes_of(wanted);
  return true;
}

uint64_t Buddy::largest_free_bytes() const noexcept {
  if (free_orders_ == 0) return 0;
  return bytes_of(static_cast<uint32_t>(std::bit_width(free_orders_) - 1));
}

}  // namespace nautilus
