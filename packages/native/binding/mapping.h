// A mapping as an opaque handle; arenas take one to write their ledger into.
#pragma once

#include <memory>

#include "segment/mapped_region.h"

namespace nautilus {

struct Mapping {
  static constexpr const char kKind[] = "a mapping";
  std::shared_ptr<MappedRegion> region;

  // Throws when closed.
  MappedRegion& open() const;
};

}  // namespace nautilus
