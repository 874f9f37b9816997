// A driver has a longest buffer; a segment may be longer. Then several buffers lie over it, each beginning three
// quarters of a length behind the one before, so that any block of up to a quarter of a length lies wholly in one.
#pragma once

#include <cstdint>

namespace nautilus {

class Views {
 public:
  struct View {
    uint64_t first = 0;
    uint64_t bytes = 0;
  };

  // Every view begins and, if the memory does, ends at a page. `longest_bytes` is at least four pages.
  Views(uint64_t bytes, uint64_t longest_bytes, uint64_t page_bytes) noexcept
      : bytes_(bytes),
        longest_(longest_bytes / page_bytes * page_bytes),
        stride_(longest_ / 4 / page_bytes * 3 * page_bytes) {
    const bool is_one = bytes <= longest_ || stride_ == 0;
    count_ = is_one ? 1 : (bytes - longest_ + stride_ - 1) / stride_ + 1;
  }

  uint64_t count() const noexcept { return count_; }
  View at(uint64_t view) const noexcept {
    const uint64_t first = view * stride_;
    return {first, view + 1 == count_ ? bytes_ - first : longest_};
  }
  // The view in which most bytes follow this offset.
  uint64_t holding(uint64_t offset) const noexcept {
    if (count_ == 1) return 0;
    const uint64_t view = offset / stride_;
    return view < count_ ? view : count_ - 1;
  }
  // As DeviceBuffer: each stretch lies in one view.
  uint64_t stretch_bytes() const noexcept { return count_ == 1 ? bytes_ : stride_; }
  // Bytes from the offset to the end of its view.
  uint64_t left_behind(uint64_t offset) const noexcept {
    const View view = at(holding(offset));
    return view.first + view.bytes - offset;
  }

 private:
  uint64_t bytes_;
  uint64_t longest_;
  uint64_t stride_;
  uint64_t count_;
};

}  // namespace nautilus
