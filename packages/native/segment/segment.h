// Segments: shared-memory objects named by a descriptor. Each kind is a folder with a file of its own and one
// line in registry.cc; the build chooses the folders that a platform has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "os/unique_descriptor.h"

namespace nautilus {

struct SegmentRequest {
  std::string name;  // for humans, in /proc/<pid>/maps
  uint64_t bytes = 0;
  bool huge_pages = false;
};

struct Segment {
  UniqueDescriptor descriptor;
  UniqueDescriptor read_only;  // open only where the object cannot be reopened for reading later
};

struct SegmentKind {
  std::string_view name;
  // Nothing when available, else the reason.
  std::optional<std::string> (*unavailable_reason)();
  Segment (*create)(const SegmentRequest& request);
};

// In order of preference.
std::span<const SegmentKind> segment_kinds() noexcept;
const SegmentKind* find_segment_kind(std::string_view name) noexcept;

// Bytes rounded up to whole units; throws too_large when the result is no file size.
uint64_t round_to(uint64_t bytes, uint64_t unit);
uint64_t page_bytes();

}  // namespace nautilus
