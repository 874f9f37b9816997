// Boost.Interprocess as a peer: the allocator a C++ developer finds first for shared memory. Once as it comes, with
// its lock, and once without one, because an arena takes none either.
#pragma once

#if __has_include(<boost/interprocess/managed_external_buffer.hpp>)
#define NAUTILUS_BENCH_HAS_BOOST 1

#include <boost/interprocess/managed_external_buffer.hpp>

#include "mapping.h"

namespace nautilus::bench {

template <typename MutexFamily>
class BoostHeap {
 public:
  explicit BoostHeap(uint64_t capacity)
      : memory_(Mapping::anonymous(capacity)), buffer_(boost::interprocess::create_only, memory_.base(), capacity) {}

  uint64_t allocate(uint64_t bytes) { return reinterpret_cast<uint64_t>(buffer_.allocate(bytes, std::nothrow)); }
  void free(uint64_t token) noexcept { buffer_.deallocate(reinterpret_cast<void*>(token)); }

 private:
  using Buffer = boost::interprocess::basic_managed_external_buffer<
      char, boost::interprocess::rbtree_best_fit<MutexFamily>, boost::interprocess::iset_index>;
  Mapping memory_;
  Buffer buffer_;
};

using LockingBoostHeap = BoostHeap<boost::interprocess::mutex_family>;
using LocklessBoostHeap = BoostHeap<boost::interprocess::null_mutex_family>;

}  // namespace nautilus::bench

#else
#define NAUTILUS_BENCH_HAS_BOOST 0
#endif
