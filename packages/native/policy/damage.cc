// Looks through stretches that are nearly always whole, so the search for what differs is kept off that way.
#include "policy/damage.h"

#include <algorithm>
#include <cstring>

namespace nautilus {

std::optional<Damage> find_damage(const std::byte* stretch, uint64_t bytes, std::byte painted) noexcept {
  if (bytes == 0) return std::nullopt;
  // A stretch that equals itself one byte on is of one value.
  if (stretch[0] == painted && std::memcmp(stretch, stretch + 1, bytes - 1) == 0) return std::nullopt;
  const std::byte* const end = stretch + bytes;
  const auto differs = [painted](std::byte byte) { return byte != painted; };
  const std::byte* const first = std::find_if(stretch, end, differs);
  const std::byte* last = end;
  while (last > first && !differs(last[-1])) --last;
  // A peer that paints it again meanwhile leaves nothing to report.
  if (first == end || last == first) return std::nullopt;
  Damage damage;
  damage.offset = static_cast<uint64_t>(first - stretch);
  damage.damaged_bytes = static_cast<uint64_t>(last - first);
  damage.found_bytes = static_cast<uint32_t>(std::min<uint64_t>(damage.found.size(), damage.damaged_bytes));
  std::copy_n(first, damage.found_bytes, damage.found.begin());
  return damage;
}

}  // namespace nautilus
