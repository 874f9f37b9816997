// Contenders run by turns in one process, so that a slow moment of the machine hits all of them; the median counts.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "clock.h"
#include "heaps.h"
#include "random.h"
#include "report.h"

namespace nautilus::bench {

// Who is measured against whom, how often, and how many blocks "many" are.
struct Setting {
  Report& report;
  std::vector<Peer> peers;
  Ticks ticks;
  int repetitions;
  uint32_t many_blocks;
  std::string program;  // this one, to be started again
};

struct Contender {
  std::string who;
  std::function<double()> repetition;  // answers nanoseconds of work an operation
};

// The first turn of each warms it up and does not count.
inline void race(Setting& setting, const std::string& what, std::vector<Contender>& contenders) {
  std::vector<std::vector<double>> samples(contenders.size());
  for (int turn = 0; turn <= setting.repetitions; ++turn) {
    for (size_t at = 0; at < contenders.size(); ++at) {
      const double sample = contenders[at].repetition();
      if (turn > 0) samples[at].push_back(sample);
    }
  }
  for (size_t at = 0; at < contenders.size(); ++at) {
    setting.report.measured(what, contenders[at].who, quantile(samples[at], 0.5), "ns");
  }
}

// A workload in which an allocation fails measures nothing.
[[noreturn]] inline void refuse(const std::string& who, uint64_t bytes) {
  throw std::runtime_error(who + " has no room for " + std::to_string(bytes) + " bytes in this workload");
}

// Live blocks of random sizes; a random one is freed, another takes its place. Nobody touches the payload.
template <typename Heap>
class Replacement {
 public:
  Replacement(std::string who, std::shared_ptr<Heap> heap, const std::vector<uint64_t>& sizes, uint32_t live)
      : who_(std::move(who)), heap_(std::move(heap)), sizes_(sizes), places_(draw_places(live, 7)), live_(live) {
    for (uint32_t at = 0; at < live; ++at) live_[at] = allocated(sizes_[at % kDrawn]);
  }
  Replacement(const Replacement&) = delete;
  ~Replacement() {
    for (const uint64_t token : live_) heap_->free(token);
  }

  double run(uint32_t pairs) {
    const uint64_t started = worked_nanoseconds();
    for (uint32_t at = 0; at < pairs; ++at) {
      uint64_t& token = live_[next_place()];
      heap_->free(token);
      token = allocated(next_size());
    }
    return static_cast<double>(worked_nanoseconds() - started) / pairs;
  }

  // Ticks of each single free and allocation, the clock's own taken off.
  void sample(const Ticks& ticks, std::vector<uint64_t>& frees, std::vector<uint64_t>& allocations) {
    for (size_t at = 0; at < frees.size(); ++at) {
      uint64_t& token = live_[next_place()];
      const uint64_t size = next_size();
      const uint64_t began = ticks_now();
      heap_->free(token);
      const uint64_t freed = ticks_now();
      token = heap_->allocate(size);
      const uint64_t ended = ticks_now();
      if (token == 0) refuse(who_, size);
      frees[at] = freed - began - std::min(freed - began, ticks.overhead);
      allocations[at] = ended - freed - std::min(ended - freed, ticks.overhead);
    }
  }

 private:
  uint64_t allocated(uint64_t bytes) {
    const uint64_t token = heap_->allocate(bytes);
    if (token == 0) refuse(who_, bytes);
    return token;
  }
  // The two circles have other lengths, so a place meets every size in time.
  uint32_t next_place() noexcept { return places_[place_++ & (places_.size() - 1)]; }
  uint64_t next_size() noexcept {
    if (++size_ == kDrawn - 1) size_ = 0;
    return sizes_[size_];
  }

  std::string who_;
  std::shared_ptr<Heap> heap_;
  std::vector<uint64_t> sizes_;
  std::vector<uint32_t> places_;
  std::vector<uint64_t> live_;
  uint32_t place_ = 0;
  uint32_t size_ = 0;
};

}  // namespace nautilus::bench
