// Names of live blocks. A handle packs slot, arena tag and generation into the 53 bits that a JavaScript
// number holds exactly; freeing a block raises its slot's generation, so an old handle finds nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "alloc/placement.h"

namespace nautilus {

struct Block {
  Placement placement;
  uint64_t length = 0;  // bytes asked for
};

class HandleTable {
 public:
  static constexpr unsigned kSlotBits = 24;  // 16.7 million live blocks
  static constexpr unsigned kTagBits = 8;    // tells 256 arenas apart; a foreign handle finds nothing
  static constexpr unsigned kGenerationBits = 21;
  static constexpr uint32_t kLastGeneration = (1u << kGenerationBits) - 1;
  static_assert(kSlotBits + kTagBits + kGenerationBits == 53);

  explicit HandleTable(uint8_t tag, size_t max_slots = size_t{1} << kSlotBits)
      : tag_(tag), max_slots_(max_slots) {}

  // Makes the next insert possible without allocating; may throw. False when all slots are taken.
  bool reserve();
  // The handle that the next insert will return; after reserve().
  uint64_t next_handle() const noexcept;
  uint64_t insert(const Block& block) noexcept;
  // Null for a handle that is stale, foreign or never was one.
  const Block* find(uint64_t handle) const noexcept;
  // The handle must be live.
  void erase(uint64_t handle) noexcept;

  size_t live() const noexcept { return live_; }
  size_t retired() const noexcept { return retired_; }

 private:
  static constexpr uint32_t kLive = UINT32_MAX;
  static constexpr uint32_t kEnd = UINT32_MAX - 1;

  struct Slot {
    Block block;
    uint32_t generation = 1;  // from 1, so no handle is 0
    uint32_t next = kEnd;     // next free slot; kLive while taken
  };

  uint64_t pack(uint32_t slot) const noexcept;

  uint64_t tag_;
  size_t max_slots_;
  std::vector<Slot> slots_;
  uint32_t free_ = kEnd;
  size_t live_ = 0;
  size_t retired_ = 0;
};

}  // namespace nautilus
