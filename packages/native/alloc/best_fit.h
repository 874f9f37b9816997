// BEST_FIT: a smallest range that is enough, so that large ranges stay whole for large blocks.
#pragma once

#include "alloc/range_map.h"
#include "alloc/smallest_index.h"

namespace nautilus {

using BestFit = RangeMap<SmallestIndex>;

}  // namespace nautilus
