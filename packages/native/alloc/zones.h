// Where moving would make room. Whatever may not move now (pinned, on its way, in a magazine, in limbo) cuts a
// segment into zones; inside a zone blocks can slide together, so all that is free there can become one range.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "alloc/pins.h"
#include "alloc/range_map.h"

namespace nautilus {

inline bool may_move(const Slot& slot) noexcept { return is_live(slot) && pins_of(slot) == 0; }

// The most that a block's own alignment can leave free before it.
inline uint64_t slack_of(const Slot& slot, uint64_t granule) noexcept {
  return (uint64_t{1} << slot.alignment_log2) - granule;
}

struct Zone {
  uint32_t before = kNoSlot;  // what cuts it off from lower addresses; kNoSlot at the start of the segment
  uint64_t extent = 0;
  uint64_t free = 0;
  uint64_t slack = 0;
};

// A run of blocks and free ranges in one zone, named by the free range it begins with.
struct Window {
  uint32_t first = kNoSlot;
  uint64_t moved_bytes = UINT64_MAX;
};

template <RangeIndex Index>
uint32_t first_in(const RangeMap<Index>& map, const Zone& zone) noexcept {
  return zone.before == kNoSlot ? map.first() : map.next_of(zone.before);
}

// The window whose blocks are the fewest bytes, among those that surely become a free range of `needed` bytes when
// they slide down.
template <RangeIndex Index>
Window cheapest_window(RangeMap<Index>& map, uint64_t needed) noexcept {
  struct Sums {
    uint64_t free = 0;
    uint64_t slack = 0;
    uint64_t blocks = 0;
  };
  const auto add_to = [&map](Sums& sums, uint32_t at) {
    if (map.is_free(at)) {
      const FreeRange place = map.free_place(at);
      sums.free += place.end - place.start;
    } else {
      sums.blocks += map.room(at);
      sums.slack += slack_of(map.slots()[at], map.geometry().granule);
    }
  };
  Window best;
  uint32_t left = kNoSlot;
  Sums sums;
  for (uint32_t at = map.first(); at != kNoSlot; at = map.next_of(at)) {
    if (!map.is_free(at)) {
      if (!may_move(map.slots()[at])) left = kNoSlot;
      if (left != kNoSlot) add_to(sums, at);
      continue;
    }
    if (left == kNoSlot) {
      left = at;
      sums = {};
    }
    add_to(sums, at);
    while (sums.free >= needed + sums.slack) {
      if (sums.blocks < best.moved_bytes) best = {left, sums.blocks};
      if (left == at) break;
      // Without its first free range and the blocks up to the next one.
      Sums dropped;
      do {
        add_to(dropped, left);
        left = map.next_of(left);
      } while (!map.is_free(left));
      sums = {sums.free - dropped.free, sums.slack - dropped.slack, sums.blocks - dropped.blocks};
    }
  }
  return best;
}

// May throw std::bad_alloc.
template <RangeIndex Index>
std::vector<Zone> zones_of(RangeMap<Index>& map) {
  std::vector<Zone> zones(1);
  for (uint32_t at = map.first(); at != kNoSlot; at = map.next_of(at)) {
    Zone& zone = zones.back();
    if (map.is_free(at)) {
      const FreeRange place = map.free_place(at);
      zone.free += place.end - place.start;
      zone.extent += place.end - place.start;
    } else if (may_move(map.slots()[at])) {
      zone.extent += map.room(at);
      zone.slack += slack_of(map.slots()[at], map.geometry().granule);
    } else {
      zones.push_back({.before = at});
    }
  }
  return zones;
}

// A block's way out of its zone.
struct Eviction {
  uint32_t slot = kNoSlot;
  uint32_t into = kNoSlot;  // a free range
  uint64_t to = 0;
};

struct Refuge {
  uint32_t range = kNoSlot;
  uint64_t start = 0;
};

// Blocks of the zone that leave it for the refuges (by their length), largest first into the tightest, until at
// least `bytes` are free; empty when that does not succeed. May throw std::bad_alloc.
template <RangeIndex Index>
std::vector<Eviction> plan_evictions(RangeMap<Index>& map, const Zone& zone, std::multimap<uint64_t, Refuge> refuges,
                                     uint64_t bytes) {
  std::vector<std::pair<uint64_t, uint32_t>> blocks;
  for (uint32_t at = first_in(map, zone); at != kNoSlot; at = map.next_of(at)) {
    if (map.is_free(at)) continue;
    if (!may_move(map.slots()[at])) break;
    blocks.push_back({map.room(at), at});
  }
  std::sort(blocks.begin(), blocks.end(), std::greater<>());
  std::vector<Eviction> evictions;
  for (const auto& [room, slot] : blocks) {
    const uint64_t misaligned = (uint64_t{1} << map.slots()[slot].alignment_log2) - 1;
    auto refuge = refuges.lower_bound(room);
    while (refuge != refuges.end() && (refuge->second.start & misaligned) != 0) ++refuge;
    if (refuge == refuges.end()) continue;
    const auto [length, place] = *refuge;
    refuges.erase(refuge);
    if (length > room) refuges.insert({length - room, {place.range, place.start + room}});
    evictions.push_back({slot, place.range, place.start});
    if (room >= bytes) return evictions;
    bytes -= room;
  }
  return {};
}

// What is free outside the zone. May throw std::bad_alloc.
template <RangeIndex Index>
std::multimap<uint64_t, Refuge> refuges_outside(RangeMap<Index>& map, const Zone& zone) {
  std::multimap<uint64_t, Refuge> refuges;
  bool inside = zone.before == kNoSlot;
  for (uint32_t at = map.first(); at != kNoSlot; at = map.next_of(at)) {
    if (!map.is_free(at)) {
      if (inside && !may_move(map.slots()[at])) inside = false;
      if (at == zone.before) inside = true;
    } else if (!inside) {
      const FreeRange place = map.free_place(at);
      refuges.insert({place.end - place.start, {at, place.start}});
    }
  }
  return refuges;
}

}  // namespace nautilus
