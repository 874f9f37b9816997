// The model and the fixtures of the conformance suite: what every strategy promises, kept slowly and simply.
#include "test/conformance.h"

namespace nautilus::test {

const Block* Model::allocate(uint64_t bytes, uint64_t alignment) {
  const uint64_t before = arena_->figures().live_bytes;
  const uint64_t handle = arena_->allocate(bytes, alignment);
  if (handle == 0) {
    ++failures_;
    EXPECT_EQUAL(arena_->figures().live_bytes, before);
    return nullptr;
  }
  return adopt(handle, bytes, alignment, arena_->figures().live_bytes - before);
}

const Block* Model::adopt(uint64_t handle, uint64_t bytes, uint64_t alignment, uint64_t room) {
  EXPECT(handle <= kMaxSafeInteger);
  const Block block{handle, arena_.slot(handle).offset, arena_.slot(handle).length, room};
  EXPECT_EQUAL(block.length, bytes);
  EXPECT_EQUAL(block.offset % std::max(alignment, arena_.geometry.granule), 0u);
  EXPECT(room >= bytes && room % arena_.geometry.granule == 0);
  EXPECT(room <= arena_.geometry.capacity && block.offset <= arena_.geometry.capacity - room);
  const auto after = ends_.lower_bound(block.offset);
  EXPECT(after == ends_.end() || after->first >= block.offset + room);
  EXPECT(after == ends_.begin() || std::prev(after)->second <= block.offset);
  ends_.emplace_hint(after, block.offset, block.offset + room);
  taken_ += room;
  high_water_ = std::max(high_water_, taken_);
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
  EXPECT(arena_->free(block.handle) == FreeOutcome::kFreed);
  EXPECT_EQUAL(arena_->figures().live_bytes, taken_);
  EXPECT(arena_->free(block.handle) == FreeOutcome::kUnknownBlock);
}

void Model::check() const {
  const ArenaFigures figures = arena_->figures();
  EXPECT_EQUAL(figures.live_blocks, live_.size());
  EXPECT_EQUAL(figures.live_bytes, taken_);
  EXPECT_EQUAL(figures.cached_bytes, 0u);
  EXPECT_EQUAL(figures.allocations, allocations_);
  EXPECT_EQUAL(figures.frees, frees_);
  EXPECT_EQUAL(figures.failures, failures_);
  EXPECT_EQUAL(figures.high_water_bytes, high_water_);
  const uint64_t capacity = arena_.geometry.capacity;
  // Only STACK has room that is neither: what an alignment skipped comes back with the block above it.
  EXPECT(arena_->free_bytes() + taken_ <= capacity);
  if (!arena_->is_ordered()) EXPECT_EQUAL(arena_->free_bytes() + taken_, capacity);
  uint64_t free_bytes = 0;
  uint64_t end = 0;
  for (const FreeRange& range : arena_->free_ranges()) {
    EXPECT(range.start >= end && range.end > range.start);
    end = range.end;
    free_bytes += range.end - range.start;
    const auto after = ends_.lower_bound(range.start);
    EXPECT(after == ends_.end() || after->first >= range.end);
    EXPECT(after == ends_.begin() || std::prev(after)->second <= range.start);
  }
  EXPECT(end <= capacity);
  EXPECT_EQUAL(free_bytes, arena_->free_bytes());
  EXPECT(arena_->largest_free_bytes() <= free_bytes);
  const std::vector<PublishedBlock> published = arena_.blocks();
  EXPECT_EQUAL(published.size(), live_.size());
  for (const PublishedBlock& block : published) {
    const auto found = ends_.find(block.offset);
    EXPECT(found != ends_.end());
    EXPECT_EQUAL(found->first + block.room, found->second);
  }
}

}  // namespace nautilus::test
