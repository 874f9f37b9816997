// FIRST_FIT: the lowest address that fits, so that long-lived blocks gather at the front and the tail of a segment
// stays free to be given back.
#pragma once

#include "alloc/lowest_index.h"
#include "alloc/range_map.h"

namespace nautilus {

using FirstFit = RangeMap<LowestIndex>;

}  // namespace nautilus
