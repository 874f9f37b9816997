#include "test/conformance.h"

namespace nautilus::test {

const Block* Model::allocate(uint64_t bytes, uint64_t alignment) {
  const uint64_t before = arena().figures().live_bytes;
  const uint64_t handle = arena().allocate(bytes, alignment);
  if (handle == 0) {
    ++failures_;
    EXPECT_EQUAL(arena().figures().live_bytes, before);
    return nullptr;
  }
  return adopt(handle, bytes, alignment, arena().figures().live_bytes - before);
}

const Block* Model::adopt(uint64_t handle, uint64_t bytes, uint64_t alignment, uint64_t room) {
  EXPECT(handle <= kMaxSafeInteger);
  const Block block{handle, whole_->slot(handle).offset, whole_->slot(handle).length, room};
  EXPECT_EQUAL(block.length, bytes);
  EXPECT_EQUAL(block.offset % std::max(alignment, whole_->geometry.granule), 0u);
  EXPECT(room >= bytes && room % whole_->geometry.granule == 0);
  EXPECT(room <= whole_->geometry.capacity && block.offset <= whole_->geometry.capacity - room);
  const auto after = ends_.lower_bound(block.offset);
  EXPECT(after == ends_.end() || after->first >= block.offset + room);
  EXPECT(after == ends_.begin() || std::prev(after)->second <= block.offset);
  ends_.emplace_hint(after, block.offset, block.offset + room);
  taken_ += room;
  high_water_ = std::max(high_water_, taken_ + cached_);
  ++allocations_;
  live_.push_back(block);
  return &live_.back();
}

void Model::forget(size_t at) {
  ends_.erase(live_[at].offset);
  taken_ -= live_[at].room;
  live_[at] = live_.back();
  live_.pop_back();
  ++frees_;
}

void Model::free(size_t at) {
  const Block block = live_[at];
  forget(at);
  EXPECT(arena().free(block.handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(arena().figures().live_bytes, taken_);
  EXPECT(arena().free(block.handle) == FreeOutcome::kUnknownBlock);
}

void Model::set_cached(uint64_t bytes) {
  cached_ = bytes;
  high_water_ = std::max(high_water_, taken_ + cached_);
  Attachment& attachment = whole_->header().attachments[0];
  store_relaxed(attachment.cached_bytes, static_cast<double>(bytes));
}

void Model::check() const {
  const ArenaFigures figures = arena().figures();
  EXPECT_EQUAL(figures.live_blocks, live_.size());
  EXPECT_EQUAL(figures.live_bytes, taken_);
  EXPECT_EQUAL(figures.cached_bytes, cached_);
  EXPECT_EQUAL(figures.allocations, allocations_);
  EXPECT_EQUAL(figures.frees, frees_);
  EXPECT_EQUAL(figures.failures, failures_);
  EXPECT_EQUAL(figures.high_water_bytes, high_water_);
  const uint64_t capacity = whole_->geometry.capacity;
  // Only STACK has room that is neither: what an alignment skipped comes back with the block above it.
  EXPECT(arena().free_bytes() + taken_ <= capacity);
  if (!arena().is_ordered()) EXPECT_EQUAL(arena().free_bytes() + taken_ + cached_, capacity);
  uint64_t free_bytes = 0;
  uint64_t end = 0;
  for (const FreeRange& range : arena().free_ranges()) {
    EXPECT(range.start >= end && range.end > range.start);
    end = range.end;
    free_bytes += range.end - range.start;
    const auto after = ends_.lower_bound(range.start);
    EXPECT(after == ends_.end() || after->first >= range.end);
    EXPECT(after == ends_.begin() || std::prev(after)->second <= range.start);
  }
  EXPECT(end <= capacity);
  EXPECT_EQUAL(free_bytes, arena().free_bytes());
  EXPECT(arena().largest_free_bytes() <= free_bytes);
  const std::vector<PublishedBlock> published = whole_->blocks();
  EXPECT_EQUAL(published.size(), live_.size());
  for (const PublishedBlock& block : published) {
    const auto found = ends_.find(block.offset);
    EXPECT(found != ends_.end());
    EXPECT_EQUAL(found->first + block.room, found->second);
  }
}

}  // namespace nautilus::test
