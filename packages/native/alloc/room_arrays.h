// Private memory for the rooms of slabs: which slot names a room, and which rooms are free. Arrays come in powers of
// two from larger chunks and are used again for slabs of the same size; chunks stay until the strategy goes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace nautilus {

struct RoomArrays {
  uint32_t* slots = nullptr;   // by place
  uint32_t* free = nullptr;    // of free rooms, newest last
};

class RoomArrayPool {
 public:
  static constexpr uint32_t kMostRooms = 1024;

  // Makes sure that the next take() of any size succeeds. May throw std::bad_alloc, and is then as before.
  void reserve() {
    if (left_ >= kRoomBytes * kMostRooms) return;
    chunks_.reserve(chunks_.size() + 1);
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(kChunkBytes));
    next_ = chunks_.back().get();
    left_ = kChunkBytes;
  }

  // For 1 to kMostRooms rooms.
  RoomArrays take(uint32_t rooms) noexcept {
    const unsigned log2 = log2_of(rooms);
    std::byte*& free = free_[log2];
    std::byte* memory = free;
    if (memory != nullptr) {
      std::memcpy(&free, memory, sizeof free);
    } else {
      memory = next_;
      next_ += kRoomBytes << log2;
      left_ -= kRoomBytes << log2;
    }
    auto* const slots = reinterpret_cast<uint32_t*>(memory);
    return {slots, slots + (size_t{1} << log2)};
  }

  // With the number of rooms that they were taken for.
  void give(RoomArrays arrays, uint32_t rooms) noexcept {
    std::byte*& free = free_[log2_of(rooms)];
    auto* const memory = reinterpret_cast<std::byte*>(arrays.slots);
    std::memcpy(memory, &free, sizeof free);
    free = memory;
  }

 private:
  static constexpr size_t kRoomBytes = 2 * sizeof(uint32_t);
  static constexpr size_t kChunkBytes = size_t{64} << 10;
  static constexpr uint32_t kFewestRooms = 4;  // enough for the link to the next free one, and aligned for it
  static unsigned log2_of(uint32_t rooms) noexcept {
    return static_cast<unsigned>(std::bit_width(std::max(rooms, kFewestRooms) - 1));
  }

  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;
  std::array<std::byte*, 11> free_{};  // by log2 of the rooms
};

}  // namespace nautilus
