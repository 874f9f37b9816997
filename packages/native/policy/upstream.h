// What a policy asks of whatever it stands on: an arena, or another policy. Every policy offers the same face again,
// so they stack in any order, and a program that names its stack pays no virtual call and nothing for the policies
// it leaves out.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "alloc/arena.h"
#include "policy/handle_map.h"

namespace nautilus {

// The handle of a new block or 0 when nothing fits; may throw std::bad_alloc, and is then as before.
template <typename U>
concept Upstream = requires(U& upstream, uint64_t number) {
  { upstream.allocate(number /* bytes */, number /* alignment */) } -> std::same_as<uint64_t>;
  { upstream.free(number /* handle */) } noexcept -> std::same_as<FreeOutcome>;
};

// Where the bytes of a block are in its segment, and how many were asked for.
struct BlockPlace {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

template <typename U>
concept HasSlots = requires(U& upstream) {
  { upstream.slots() } -> std::same_as<SlotTable&>;
};
template <typename U>
concept Finds = requires(U& upstream, uint64_t handle) {
  { upstream.find(handle) } noexcept -> std::same_as<std::optional<BlockPlace>>;
};
template <typename U>
concept KnowsPlaces = HasSlots<U> || Finds<U>;

// Nothing for a handle that names no live block.
template <KnowsPlaces U>
std::optional<BlockPlace> find_block(U& upstream, uint64_t handle) noexcept {
  if constexpr (Finds<U>) {
    return upstream.find(handle);
  } else {
    const SlotTable& slots = upstream.slots();
    const uint32_t slot = slots.find(handle);
    if (slot == kNoSlot) return std::nullopt;
    return BlockPlace{slots[slot].offset, slots[slot].length};
  }
}

// Asked bytes of live blocks. Where upstream knows them nothing is kept here; else each block costs a map entry.
template <Upstream U>
class BlockLengths {
 public:
  // Room for one more; may throw std::bad_alloc.
  void reserve() {
    if constexpr (!KnowsPlaces<U>) lengths_.reserve_one();
  }
  void add(uint64_t handle, uint64_t bytes) noexcept {
    if constexpr (!KnowsPlaces<U>) lengths_.insert(handle, bytes);
  }
  // 0 for a handle that names no live block.
  uint64_t of(U& upstream, uint64_t handle) const noexcept {
    if constexpr (KnowsPlaces<U>) {
      const std::optional<BlockPlace> place = find_block(upstream, handle);
      return place ? place->bytes : 0;
    } else {
      const uint64_t* bytes = lengths_.find(handle);
      return bytes == nullptr ? 0 : *bytes;
    }
  }
  void remove(uint64_t handle) noexcept {
    if constexpr (!KnowsPlaces<U>) lengths_.erase(handle);
  }

 private:
  struct Nothing {};
  [[no_unique_address]] std::conditional_t<KnowsPlaces<U>, Nothing, HandleMap<uint64_t>> lengths_;
};

// What every policy passes through unchanged. Upstream outlives the policy.
template <Upstream U>
class PolicyOver {
 public:
  PolicyOver(const PolicyOver&) = delete;
  PolicyOver& operator=(const PolicyOver&) = delete;

  U& upstream() const noexcept { return *upstream_; }
  std::optional<BlockPlace> find(uint64_t handle) const noexcept
    requires KnowsPlaces<U>
  {
    return find_block(*upstream_, handle);
  }
  // Offsets are multiples of it; 1 when upstream does not say.
  uint64_t granule() const noexcept {
    if constexpr (requires(U& u) { u.granule(); }) return upstream_->granule();
    return 1;
  }
  // True when blocks can only be freed newest first.
  bool is_ordered() const noexcept {
    if constexpr (requires(U& u) { u.is_ordered(); }) return upstream_->is_ordered();
    return false;
  }
  std::vector<FreeRange> free_ranges() const
    requires requires(U& u) { u.free_ranges(); }
  {
    return upstream_->free_ranges();
  }

 protected:
  explicit PolicyOver(U& upstream) noexcept : upstream_(&upstream) {}
  ~PolicyOver() = default;

 private:
  U* upstream_;
};

}  // namespace nautilus
