// A multiset of sizes that answers "the smallest that is enough" within a fixed number of steps: the order in which
// BEST_FIT looks at its free ranges. Sizes fall into fine bins, found through a bitmap of two levels; where a bin
// holds more than one size, a digital search tree over the remaining bits of the size keeps their order.
//
// Sizes below 2^(mantissa + 1) have a bin each, so a list of equal sizes is all they need. A larger size shares its
// bin with those that agree in its leading bits; `rest` is the number of bits in which they may differ, and no member
// of the bin's tree lies deeper. There is no rebalancing. Outside trees, insert and erase avoid branches that chance
// decides: a wrong guess costs more than the work it saves.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "alloc/strategy.h"

namespace nautilus {

class SizeBins {
 public:
  // Sizes run from 1 to `largest`. May throw std::bad_alloc.
  SizeBins(uint32_t largest, Work& work);

  // Members are numbered from 0 and below `members`. May throw std::bad_alloc, and is then as before.
  void reserve(uint64_t members);

  // `start` is not read here; it stands beside the size for whoever has to list the members again.
  void insert(uint32_t member, uint32_t start, uint32_t size) noexcept {
    const uint32_t node = member + 1;
    const Bin bin = bin_of(size);
    const uint32_t first = heads_[bin.number];
    nodes_[node] = {start, size, 0, first, 0, {0, 0}};
    if (bin.rest != 0 && first != 0) [[unlikely]] return insert_into_tree(node, bin);
    nodes_[first].prior = node;
    heads_[bin.number] = node;
    mark(bin.number);
  }

  void erase(uint32_t member) noexcept {
    const uint32_t node = member + 1;
    Node& at = nodes_[node];
    const Bin bin = bin_of(at.size);
    const uint32_t prior = at.prior;
    const uint32_t next = at.next;
    at.size = 0;
    const uint32_t company = at.parent | at.child[0] | at.child[1] | if_shared(bin, next);
    if (company != 0 && prior == 0) [[unlikely]] return erase_from_tree(node, bin);
    uint32_t& head = heads_[bin.number];
    head = prior == 0 ? next : head;
    nodes_[prior].next = next;
    nodes_[next].prior = prior;
    unmark(bin.number, (prior | next) == 0);
  }

  // A member of the smallest size that is at least this, the newest of its size if the size has a bin of its own;
  // kNoMember when there is none.
  static constexpr uint32_t kNoMember = UINT32_MAX;
  uint32_t find(uint32_t size) const noexcept {
    if (size > largest_) return kNoMember;
    const Bin bin = bin_of(size);
    uint32_t number = next_marked(bin.number);
    if (number == bin.number && bin.rest != 0) [[unlikely]] {
      const uint32_t node = least_from(heads_[number], size, bin.rest);
      if (node != 0) return node - 1;
      number = next_marked(number + 1);
    }
    const uint32_t node = heads_[number];
    if ((nodes_[node].child[0] | nodes_[node].child[1]) != 0) [[unlikely]] return least_below(node, node) - 1;
    return node - 1;
  }

  // 0 when there is no member.
  uint32_t largest() const noexcept;

  uint32_t size_of(uint32_t member) const noexcept { return nodes_[member + 1].size; }  // 0: not a member
  uint32_t start_of(uint32_t member) const noexcept { return nodes_[member + 1].start; }

  // For tests: whether lists, trees and bitmap agree. Takes time in proportion to everything.
  bool is_sound() const;

 private:
  // Nodes are members counted from 1; node 0 is nobody, and takes the links that concern nobody. Half a cache line
  // each: whatever is done to a member touches one line of its own.
  struct alignas(32) Node {
    uint32_t start = 0;
    uint32_t size = 0;
    uint32_t prior = 0;  // in the list of equal sizes; 0: the first, which also stands in the tree
    uint32_t next = 0;
    uint32_t parent = 0;  // in the tree of the bin; all zero outside a tree and when alone in it
    uint32_t child[2] = {0, 0};
  };
  struct Bin {
    uint32_t number;
    uint32_t rest;
  };

  // A size is a mantissa of `mantissa_` bits behind a leading one, an exponent, and `rest` bits that the bin ignores.
  Bin bin_of(uint32_t size) const noexcept {
    const uint32_t rest = static_cast<uint32_t>(std::bit_width(size | one_mantissa_)) - 1 - mantissa_;
    return {(rest << mantissa_) + (size >> rest), rest};
  }

  // The node in bins that several sizes share, else 0; without a branch, for sizes fall on either side at random.
  static uint32_t if_shared(Bin bin, uint32_t node) noexcept { return node & (0 - uint32_t{bin.rest != 0}); }

  void mark(uint32_t bin) noexcept {
    leaves_[bin / 64] |= uint64_t{1} << (bin % 64);
    roots_[bin / 4096] |= uint64_t{1} << (bin / 64 % 64);
  }
  void unmark(uint32_t bin, bool is_empty) noexcept {
    uint64_t& leaf = leaves_[bin / 64];
    leaf &= ~(uint64_t{is_empty} << (bin % 64));
    roots_[bin / 4096] &= ~(uint64_t{leaf == 0} << (bin / 64 % 64));
  }
  // The first bin from here on that holds a member, or the bin behind all, which holds nobody.
  uint32_t next_marked(uint32_t bin) const noexcept {
    const uint64_t leaf = leaves_[bin / 64] & (~uint64_t{0} << (bin % 64));
    if (leaf != 0) return bin / 64 * 64 + first_bit(leaf);
    uint32_t root = bin / 4096;
    uint64_t words = roots_[root] & (~uint64_t{1} << (bin / 64 % 64));
    while (words == 0) {
      if (++root == roots_.size()) return behind_;
      work_.step();
      words = roots_[root];
    }
    const uint32_t word = root * 64 + first_bit(words);
    return word * 64 + first_bit(leaves_[word]);
  }
  static uint32_t first_bit(uint64_t word) noexcept { return static_cast<uint32_t>(std::countr_zero(word)); }

  void insert_into_tree(uint32_t node, Bin bin) noexcept;
  void erase_from_tree(uint32_t node, Bin bin) noexcept;
  void replace(uint32_t node, uint32_t by, Bin bin) noexcept;
  uint32_t least_from(uint32_t root, uint32_t size, uint32_t rest) const noexcept;
  uint32_t least_below(uint32_t root, uint32_t best) const noexcept;
  uint64_t sound_below(uint32_t node, uint32_t parent, uint32_t common, uint32_t rest) const;

  Work& work_;
  uint32_t largest_;
  uint32_t mantissa_;
  uint32_t one_mantissa_;   // 2^mantissa
  uint32_t two_mantissas_;  // sizes and bins below this are the same number
  uint32_t behind_;         // number of bins
  std::vector<Node> nodes_;
  std::vector<uint32_t> heads_;
  std::vector<uint64_t> leaves_;
  std::vector<uint64_t> roots_;  // a bit for each word of `leaves_` that is not zero; six words at most
};

}  // namespace nautilus
