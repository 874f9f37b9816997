// A picture of one segment as JSON, from its ledger alone: what lies where, what is free, how much of the segment is
// of use. Whoever may read the ledger can draw it, while the owner runs and after it died.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace nautilus {

constexpr size_t kMostMapEntries = size_t{1} << 20;

// Nothing when the ledger is foreign. Otherwise valid JSON, whatever the ledger says:
//   segmentBytes, granule
//   liveBlocks, liveBytes         rooms of published blocks, rounding included
//   requestedBytes                the same without rounding
//   freeBytes, largestFreeBytes   under no published block; rooms that wait in slabs and magazines are free here
//   fragmentation                 1 - liveBytes / segmentBytes
//   freeShareOutsideLargest       1 - largestFreeBytes / freeBytes, 0 when nothing is free
//   overlaps                      blocks that begin inside one before them: while the owner runs, a room that changed
//                                 hands during the reading; else a sign that the owner wrote nonsense
//   blocks [{offset, length, room, handle, pins}], free [{offset, bytes}]: by rising offset, `room` only where it
//   differs from the length, at most `most_entries` of each; blocksLeftOut and freeLeftOut count the rest.
// May throw std::bad_alloc.
std::optional<std::string> map_json(const std::byte* ledger, uint64_t bytes, size_t most_entries = kMostMapEntries);

}  // namespace nautilus
