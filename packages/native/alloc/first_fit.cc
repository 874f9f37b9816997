// Carving and merging over the extent tree. Between n blocks there are at most n + 1 free extents, which is
// what makes it possible to reserve all metadata of a later release at allocation time.
#include "alloc/first_fit.h"

namespace nautilus {

FirstFit::FirstFit(uint64_t capacity, uint64_t granule) : extents_(granule), free_bytes_(capacity) {
  extents_.reserve(2);
  extents_.insert({0, capacity});
}

void FirstFit::reserve(size_t live_blocks, uint64_t alignment) {
  extents_.reserve(live_blocks + 2);
  extents_.track_alignment(alignment);
}

std::optional<Placement> FirstFit::allocate(uint64_t bytes, uint64_t alignment, uint64_t) noexcept {
  const std::optional<Extent> extent = extents_.lowest_fit(bytes, alignment);
  if (!extent) return std::nullopt;
  const Placement placement{align_up(extent->start, alignment), bytes};
  take(*extent, placement);
  return placement;
}

std::optional<Placement> FirstFit::allocate_at(uint64_t offset, uint64_t bytes) noexcept {
  const std::optional<Extent> extent = extents_.floor(offset);
  // Compared by difference: offset + bytes may exceed 64 bits for a hostile offset.
  if (!extent || offset >= extent->end || extent->end - offset < bytes) return std::nullopt;
  const Placement placement{offset, bytes};
  take(*extent, placement);
  return placement;
}

void FirstFit::take(const Extent& extent, const Placement& placement) noexcept {
  const uint64_t end = placement.offset + placement.bytes;
  const bool has_front = placement.offset > extent.start;
  const bool has_back = end < extent.end;
  if (has_front) {
    extents_.change(extent.start, {extent.start, placement.offset});
    if (has_back) extents_.insert({end, extent.end});
  } else if (has_back) {
    extents_.change(extent.start, {end, extent.end});
  } else {
    extents_.erase(extent.start);
  }
  free_bytes_ -= placement.bytes;
}

bool FirstFit::release(const Placement& placement, uint64_t) noexcept {
  const uint64_t end = placement.offset + placement.bytes;
  const std::optional<Extent> before = extents_.floor(placement.offset);
  const std::optional<Extent> after = extents_.floor(end);
  const bool joins_before = before && before->end == placement.offset;
  const bool joins_after = after && after->start == end;
  if (joins_before && joins_after) {
    extents_.erase(end);
    extents_.change(before->start, {before->start, after->end});
  } else if (joins_before) {
    extents_.change(before->start, {before->start, end});
  } else if (joins_after) {
    extents_.change(end, {placement.offset, after->end});
  } else {
    extents_.insert({placement.offset, end});
  }
  free_bytes_ += placement.bytes;
  return true;
}

}  // namespace nautilus
