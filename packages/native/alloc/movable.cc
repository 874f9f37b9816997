// Which strategies move: those that keep their ranges by address.
#include "alloc/movable.h"

#include "alloc/best_fit.h"
#include "alloc/compaction.h"
#include "alloc/first_fit.h"

namespace nautilus {
namespace {

template <RangeIndex Index>
std::unique_ptr<MovableArena> make(Arena& arena, const LedgerMemory& ledger, std::byte* payload) {
  auto* const known = dynamic_cast<ArenaOf<RangeMap<Index>>*>(&arena);
  return known == nullptr ? nullptr : std::make_unique<Movable<Index>>(*known, ledger, payload);
}

}  // namespace

std::unique_ptr<MovableArena> make_movable(Arena& arena, const LedgerMemory& ledger, std::byte* payload) {
  std::unique_ptr<MovableArena> movable = make<LowestIndex>(arena, ledger, payload);
  return movable != nullptr ? std::move(movable) : make<SmallestIndex>(arena, ledger, payload);
}

}  // namespace nautilus
