// How full an arena is when it first refuses, in bytes as asked for over its capacity, which 10,000 random blocks fill
// on average. Two workloads: "growing", where two blocks come for each one that goes at random, until one is refused;
// and "aged", which first comes to 90 % without going, then stays there while 30,000 random blocks go and others come,
// and then grows likewise. A refusal in any of these phases ends it. Mean and worst are of 20 seeds.
#include "sections.h"

namespace nautilus::bench {
namespace {

constexpr uint32_t kBlocks = 10'000;
constexpr uint32_t kNotAged = 0;
constexpr uint32_t kAged = 30'000;
constexpr uint64_t kSeeds = 20;

template <Strategy S>
class Filling {
 public:
  Filling(const SizeRange& range, uint64_t seed)
      : range_(range),
        random_(seed),
        capacity_(static_cast<uint64_t>(range.mean() * kBlocks) / 65536 * 65536),
        heap_({capacity_, range.granule}) {}

  double share_at_first_refusal(uint32_t replacements) {
    const uint64_t enough = capacity_ / 10 * 9;
    for (uint32_t at = 0; at < replacements; ++at) {
      while (live_bytes_ < enough) {
        if (!come()) return share();
      }
      go();
    }
    for (;;) {
      if (!come() || !come()) return share();
      go();
    }
  }

 private:
  struct Block {
    uint64_t token;
    uint64_t bytes;
  };

  bool come() {
    const uint64_t bytes = range_.draw(random_);
    const uint64_t token = heap_.allocate(bytes);
    if (token == 0) return false;
    live_.push_back({token, bytes});
    live_bytes_ += bytes;
    return true;
  }
  void go() {
    Block& block = live_[random_.below(static_cast<uint32_t>(live_.size()))];
    heap_.free(block.token);
    live_bytes_ -= block.bytes;
    block = live_.back();
    live_.pop_back();
  }
  double share() const { return static_cast<double>(live_bytes_) / static_cast<double>(capacity_); }

  SizeRange range_;
  Random random_;
  uint64_t capacity_;
  ArenaHeap<S> heap_;
  std::vector<Block> live_;
  uint64_t live_bytes_ = 0;
};

template <Strategy S>
void measure(Setting& setting, const std::string& who, const SizeRange& range, uint32_t replacements) {
  double sum = 0;
  double worst = 1;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const double share = Filling<S>(range, seed * 1'000'003).share_at_first_refusal(replacements);
    sum += share;
    worst = std::min(worst, share);
  }
  const std::string what = std::string("utilisation at first failure, ") +
                           (replacements == kNotAged ? "growing, " : "aged, ") + range.name;
  setting.report.measured(what + ", mean", who, 100 * sum / kSeeds, "%");
  setting.report.measured(what + ", worst", who, 100 * worst, "%");
}

}  // namespace

void measure_fullness(Setting& setting) {
  for (const uint32_t replacements : {kNotAged, kAged}) {
    for (const SizeRange& range : kSizeRanges) {
      measure<FirstFit>(setting, "FIRST_FIT", range, replacements);
      measure<BestFit>(setting, "BEST_FIT", range, replacements);
      measure<Slab>(setting, "SLAB", range, replacements);
      measure<Buddy>(setting, "BUDDY", range, replacements);
    }
  }
}

}  // namespace nautilus::bench
