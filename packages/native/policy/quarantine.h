// Finds writes through stale and overrunning pointers: freed blocks rest, poisoned, before their room is used again,
// and canary bytes stand around every live one. For debugging: it touches the payload, takes larger rooms, and keeps
// freed ones. Upstream still holds a block that rests, so here its handle is what tells a double free.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "policy/damage.h"
#include "policy/upstream.h"

namespace nautilus {

struct QuarantineOptions {
  uint64_t resting_bytes = uint64_t{16} << 20;  // at most; a larger block goes back at once
  uint32_t canary_bytes = 16;                   // on each side; in front rounded up to the alignment
};

template <Upstream U, typename OnDamage>
  requires KnowsPlaces<U> && std::is_nothrow_invocable_v<OnDamage&, const Damage&>
class Quarantine : public PolicyOver<U> {
 public:
  // `payload` is the segment's base in this process. Users must take offsets from find(), for canaries move a block's
  // bytes inside its room. Throws std::invalid_argument over an ordered strategy, where nothing can rest.
  Quarantine(U& upstream, std::byte* payload, OnDamage on_damage, QuarantineOptions options = {})
      : PolicyOver<U>(upstream), payload_(payload), on_damage_(std::move(on_damage)), options_(options) {
    if (this->is_ordered()) throw std::invalid_argument("a quarantine frees oldest first, this strategy newest first");
  }
  // Live blocks stay upstream's, canaries and all.
  ~Quarantine() { release_all(); }

  // Rather than fail, it lets blocks that rest go early, oldest first.
  uint64_t allocate(uint64_t bytes, uint64_t alignment) {
    const uint64_t front = front_bytes(alignment);
    if (bytes > kMaxSafeInteger - front - options_.canary_bytes) return 0;
    const uint64_t room = front + bytes + options_.canary_bytes;
    blocks_.reserve_one();
    uint64_t handle = this->upstream().allocate(room, alignment);
    while (handle == 0 && oldest_ != 0) {
      release_oldest();
      handle = this->upstream().allocate(room, alignment);
    }
    if (handle == 0) return 0;
    const Block block{bytes, front, 0, false};
    blocks_.insert(handle, block);
    if (const auto place = find_block(this->upstream(), handle)) paint_canaries(block, *place);
    return handle;
  }

  FreeOutcome free(uint64_t handle) noexcept {
    Block* block = blocks_.find(handle);
    if (block == nullptr) return FreeOutcome::kUnknownBlock;
    const auto place = find_block(this->upstream(), handle);
    if (block->is_resting) {
      report(Damage::Kind::kDoubleFree, handle, place ? place->offset + block->front : 0, {});
      return FreeOutcome::kUnknownBlock;
    }
    if (!place) return forget(handle);
    check_canaries(handle, *block, *place);
    if (place->bytes > options_.resting_bytes) {
      blocks_.erase(handle);
      return this->upstream().free(handle);
    }
    std::memset(payload_ + place->offset, static_cast<int>(kPoisonByte), place->bytes);
    block->is_resting = true;
    (newest_ == 0 ? oldest_ : blocks_.find(newest_)->next) = handle;
    newest_ = handle;
    ++resting_blocks_;
    resting_bytes_ += place->bytes;
    while (resting_bytes_ > options_.resting_bytes) release_oldest();
    return FreeOutcome::kFreed;
  }

  // The bytes between the canaries; nothing for a block that rests.
  std::optional<BlockPlace> find(uint64_t handle) const noexcept {
    const Block* block = blocks_.find(handle);
    if (block == nullptr || block->is_resting) return std::nullopt;
    const auto place = find_block(this->upstream(), handle);
    if (!place) return std::nullopt;
    return BlockPlace{place->offset + block->front, block->bytes};
  }

  // Looks at every block now. Each damage is reported once: what is found is painted over. Answers how many.
  uint64_t check() noexcept {
    const uint64_t before = damages_;
    blocks_.for_each([this](uint64_t handle, const Block& block) {
      const auto place = find_block(this->upstream(), handle);
      if (!place) {
        report(Damage::Kind::kEndedElsewhere, handle, 0, {});
      } else if (block.is_resting) {
        check_stretch(Damage::Kind::kAfterFree, handle, place->offset, place->bytes, kPoisonByte);
      } else {
        check_canaries(handle, block, *place);
      }
    });
    return damages_ - before;
  }

  void release_all() noexcept {
    while (oldest_ != 0) release_oldest();
  }

  uint64_t resting_blocks() const noexcept { return resting_blocks_; }
  uint64_t resting_bytes() const noexcept { return resting_bytes_; }  // canaries included
  uint64_t damages() const noexcept { return damages_; }

 private:
  struct Block {
    uint64_t bytes = 0;  // as asked for
    uint64_t front = 0;  // canary bytes in front of them
    uint64_t next = 0;   // the block that came to rest after this one
    bool is_resting = false;
  };

  uint64_t front_bytes(uint64_t alignment) const noexcept {
    if (options_.canary_bytes == 0) return 0;
    const uint64_t unit = std::max({alignment, this->granule(), uint64_t{1}});
    return (options_.canary_bytes + unit - 1) / unit * unit;
  }
  void paint_canaries(const Block& block, const BlockPlace& place) noexcept {
    std::byte* const room = payload_ + place.offset;
    std::memset(room, static_cast<int>(kCanaryByte), block.front);
    std::memset(room + block.front + block.bytes, static_cast<int>(kCanaryByte), options_.canary_bytes);
  }
  void check_canaries(uint64_t handle, const Block& block, const BlockPlace& place) noexcept {
    check_stretch(Damage::Kind::kBefore, handle, place.offset, block.front, kCanaryByte);
    check_stretch(Damage::Kind::kAfter, handle, place.offset + block.front + block.bytes, options_.canary_bytes,
                  kCanaryByte);
  }
  void check_stretch(Damage::Kind kind, uint64_t handle, uint64_t offset, uint64_t bytes, std::byte painted) noexcept {
    const std::optional<Damage> damage = find_damage(payload_ + offset, bytes, painted);
    if (!damage) return;
    report(kind, handle, offset + damage->offset, *damage);
    std::memset(payload_ + offset, static_cast<int>(painted), bytes);
  }
  void report(Damage::Kind kind, uint64_t handle, uint64_t offset, Damage damage) noexcept {
    damage.kind = kind;
    damage.handle = handle;
    damage.offset = offset;
    ++damages_;
    on_damage_(std::as_const(damage));
  }
  FreeOutcome forget(uint64_t handle) noexcept {
    report(Damage::Kind::kEndedElsewhere, handle, 0, {});
    blocks_.erase(handle);
    return FreeOutcome::kUnknownBlock;
  }

  void release_oldest() noexcept {
    const uint64_t handle = oldest_;
    oldest_ = blocks_.find(handle)->next;
    if (oldest_ == 0) newest_ = 0;
    --resting_blocks_;
    const auto place = find_block(this->upstream(), handle);
    const Block block = *blocks_.find(handle);
    resting_bytes_ -= block.front + block.bytes + options_.canary_bytes;
    if (!place) {
      forget(handle);
      return;
    }
    check_stretch(Damage::Kind::kAfterFree, handle, place->offset, place->bytes, kPoisonByte);
    blocks_.erase(handle);
    if (this->upstream().free(handle) != FreeOutcome::kFreed) {
      report(Damage::Kind::kEndedElsewhere, handle, place->offset, {});
    }
  }

  std::byte* payload_;
  OnDamage on_damage_;
  QuarantineOptions options_;
  HandleMap<Block> blocks_;
  uint64_t oldest_ = 0;
  uint64_t newest_ = 0;
  uint64_t resting_blocks_ = 0;
  uint64_t resting_bytes_ = 0;
  uint64_t damages_ = 0;
};

}  // namespace nautilus
