// A move of a block whose two places overlap, as a list of copies that do not: a GPU copies all bytes at once and knows
// no direction.
#pragma once

#include <algorithm>
#include <cstdint>

#include "device/device.h"

namespace nautilus {

struct CopyStep {
  enum class Through { kNothing, kIntoScratch, kOutOfScratch };
  uint64_t from = 0;  // in the scratch, where it goes out of that
  uint64_t to = 0;    // in the scratch, where it goes into that
  uint64_t bytes = 0;
  Through through = Through::kNothing;
};

// To be executed one after the other. Pieces are as long as the distance of the places, or as the scratch where that
// is longer; then each goes through the scratch, so that a move by one byte does not become one copy per byte.
template <typename Act>
void for_each_move_step(const BlockMove& move, uint64_t scratch_bytes, Act act) {
  if (move.from == move.to || move.bytes == 0) return;
  const bool is_up = move.to > move.from;
  const uint64_t distance = is_up ? move.to - move.from : move.from - move.to;
  if (distance >= move.bytes) {
    act(CopyStep{move.from, move.to, move.bytes});
    return;
  }
  const uint64_t longest = std::max(distance, scratch_bytes);
  for (uint64_t done = 0; done < move.bytes;) {
    const uint64_t bytes = std::min(longest, move.bytes - done);
    const uint64_t at = is_up ? move.bytes - done - bytes : done;
    if (distance >= scratch_bytes) {
      act(CopyStep{move.from + at, move.to + at, bytes});
    } else {
      act(CopyStep{move.from + at, 0, bytes, CopyStep::Through::kIntoScratch});
      act(CopyStep{0, move.to + at, bytes, CopyStep::Through::kOutOfScratch});
    }
    done += bytes;
  }
}

}  // namespace nautilus
