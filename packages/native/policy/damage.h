// Bytes that nobody may write: how they are painted, and how a write to them is found again. One byte value for a whole
// stretch, so that looking through it runs at the speed of memcmp; a write of just that value goes unseen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nautilus {

constexpr std::byte kCanaryByte{0xca};
constexpr std::byte kPoisonByte{0xdf};

struct Damage {
  enum class Kind {
    kBefore,          // a write in front of a live block
    kAfter,           // a write behind the bytes asked for
    kAfterFree,       // a write to a block that rests
    kDoubleFree,      // a second free of a block that rests
    kEndedElsewhere,  // upstream no longer knew the block: someone freed it past this policy
  };
  Kind kind = Kind::kBefore;
  uint64_t handle = 0;
  uint64_t offset = 0;         // in the segment: of the first damaged byte, else of the block
  uint64_t damaged_bytes = 0;  // from the first damaged byte to the last
  std::array<std::byte, 16> found{};
  uint32_t found_bytes = 0;  // of `found`, from the first damaged byte on
};

// Where the stretch differs from `painted`, as offset (of the stretch), damaged_bytes, found and found_bytes.
std::optional<Damage> find_damage(const std::byte* stretch, uint64_t bytes, std::byte painted) noexcept;

}  // namespace nautilus
