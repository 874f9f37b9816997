// What a policy remembers of a block, by its handle. Memory is taken by reserve_one() alone, before upstream is asked
// for a block: so no failure of the heap can come between a block and its entry, and leave the block without an owner.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace nautilus {

// Open addressing; at most half of its places are taken. Handles are never 0. With a filter, for a map that is mostly
// asked in vain: 16 bits for each place, of which a handle's own one is set; they stay in the processor's cache when
// the places do not.
template <typename Value, bool kHasFilter = false>
class HandleMap {
  static_assert(std::is_nothrow_move_assignable_v<Value> && std::is_nothrow_default_constructible_v<Value>);

 public:
  size_t size() const noexcept { return size_; }

  // Room for one more entry; may throw std::bad_alloc, and is then as before. Doubling visits every entry.
  void reserve_one() {
    if ((size_ + 1) * 2 > places_.size()) grow();
  }

  // After reserve_one(), of a handle that is not there.
  void insert(uint64_t handle, Value value) noexcept {
    size_t at = home(handle);
    while (places_[at].handle != 0) at = following(at);
    places_[at].handle = handle;
    places_[at].value = std::move(value);
    if constexpr (kHasFilter) filter_[bit_of(handle) / 64] |= uint64_t{1} << bit_of(handle) % 64;
    ++size_;
  }

  Value* find(uint64_t handle) noexcept {
    const size_t at = search(handle);
    return at == kNowhere ? nullptr : &places_[at].value;
  }
  const Value* find(uint64_t handle) const noexcept {
    const size_t at = search(handle);
    return at == kNowhere ? nullptr : &places_[at].value;
  }

  bool erase(uint64_t handle) noexcept {
    const size_t at = search(handle);
    if (at == kNowhere) return false;
    erase_at(at);
    return true;
  }

  // visit(handle, value), in no order; it must not change the map.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Place& place : places_) {
      if (place.handle != 0) visit(place.handle, place.value);
    }
  }

 private:
  struct Place {
    uint64_t handle = 0;
    Value value{};
  };
  static constexpr size_t kNowhere = SIZE_MAX;

  size_t mask() const noexcept { return places_.size() - 1; }
  size_t following(size_t at) const noexcept { return (at + 1) & mask(); }
  // Fibonacci hashing: the high bits of a product with 2^64 divided by the golden ratio.
  static uint64_t hash(uint64_t handle) noexcept { return handle * 0x9e3779b97f4a7c15U; }
  size_t home(uint64_t handle) const noexcept { return static_cast<size_t>(hash(handle) >> shift_); }
  // Its upper bits are the home, so handles that share a bit share a home.
  size_t bit_of(uint64_t handle) const noexcept { return static_cast<size_t>(hash(handle) >> (shift_ - 4)); }

  size_t search(uint64_t handle) const noexcept {
    if (size_ == 0) return kNowhere;
    if constexpr (kHasFilter) {
      const size_t bit = bit_of(handle);
      if ((filter_[bit / 64] >> bit % 64 & 1) == 0) [[likely]] return kNowhere;
    }
    for (size_t at = home(handle); places_[at].handle != 0; at = following(at)) {
      if (places_[at].handle == handle) return at;
    }
    return kNowhere;
  }
  // Apart, so that looking in vain stays short where it is inlined.
  [[gnu::noinline]] void erase_at(size_t hole) noexcept {
    const uint64_t erased = places_[hole].handle;
    // Whoever was pushed past the hole moves back, so that a search may stop at the first empty place.
    for (size_t at = following(hole); places_[at].handle != 0; at = following(at)) {
      const size_t wanted = home(places_[at].handle);
      const bool may_move = ((at - wanted) & mask()) >= ((at - hole) & mask());
      if (!may_move) continue;
      places_[hole] = std::move(places_[at]);
      hole = at;
    }
    places_[hole] = Place{};
    --size_;
    if constexpr (kHasFilter) {
      for (size_t at = home(erased); places_[at].handle != 0; at = following(at)) {
        if (bit_of(places_[at].handle) == bit_of(erased)) return;
      }
      filter_[bit_of(erased) / 64] &= ~(uint64_t{1} << bit_of(erased) % 64);
    }
  }
  void grow() {
    std::vector<Place> larger(places_.empty() ? 32 : 2 * places_.size());
    if constexpr (kHasFilter) filter_ = std::vector<uint64_t>(larger.size() / 4);
    std::swap(places_, larger);
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(places_.size()));
    size_ = 0;
    for (Place& place : larger) {
      if (place.handle != 0) insert(place.handle, std::move(place.value));
    }
  }

  std::vector<Place> places_;
  struct NoFilter {};
  [[no_unique_address]] std::conditional_t<kHasFilter, std::vector<uint64_t>, NoFilter> filter_;
  size_t size_ = 0;
  unsigned shift_ = 0;
};

}  // namespace nautilus
