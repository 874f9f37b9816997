// The rarer half of SizeBins: bins that hold more than one size.
#include "alloc/size_bins.h"

namespace nautilus {
namespace {

// More bins mean fewer trees, but 4 bytes each: about the square root of the largest size keeps them far below the
// size of the segment, and 2^10 to an octave leave trees to sizes of 2048 granules and more.
uint32_t mantissa_for(uint32_t largest) noexcept {
  return std::clamp<uint32_t>(static_cast<uint32_t>(std::bit_width(largest)) / 2, 5, 10);
}

}  // namespace

SizeBins::SizeBins(uint32_t largest, Work& work)
    : work_(work),
      largest_(largest),
      mantissa_(mantissa_for(largest)),
      one_mantissa_(uint32_t{1} << mantissa_),
      two_mantissas_(uint32_t{2} << mantissa_),
      behind_(bin_of(largest).number + 1),
      nodes_(1),
      heads_(behind_ + 1),
      leaves_(behind_ / 64 + 1),
      roots_(leaves_.size() / 64 + 1) {}

void SizeBins::reserve(uint64_t members) {
  if (nodes_.size() <= members) nodes_.resize(members + 1);
}

uint32_t SizeBins::largest() const noexcept {
  const auto last_bit = [](uint64_t word) { return static_cast<uint32_t>(std::bit_width(word)) - 1; };
  size_t root = roots_.size();
  while (roots_[--root] == 0) {
    if (root == 0) return 0;
  }
  const uint32_t word = static_cast<uint32_t>(root) * 64 + last_bit(roots_[root]);
  const uint32_t bin = word * 64 + last_bit(leaves_[word]);
  uint32_t most = nodes_[heads_[bin]].size;
  if (bin < two_mantissas_) return most;
  for (uint32_t at = heads_[bin]; at != 0;) {
    most = std::max(most, nodes_[at].size);
    const Node& from = nodes_[at];
    at = from.child[1] != 0 ? from.child[1] : from.child[0];
  }
  return most;
}

// Down the bits of the size, until a place is free or the same size is met.
void SizeBins::insert_into_tree(uint32_t node, Bin bin) noexcept {
  const uint32_t size = nodes_[node].size;
  uint32_t at = heads_[bin.number];
  uint32_t bits = size << (32 - bin.rest);
  while (nodes_[at].size != size) {
    work_.step();
    uint32_t& child = nodes_[at].child[bits >> 31];
    if (child == 0) {
      child = node;
      nodes_[node].next = 0;
      nodes_[node].parent = at;
      return;
    }
    at = child;
    bits <<= 1;
  }
  const uint32_t next = nodes_[at].next;
  nodes_[node].prior = at;
  nodes_[node].next = next;
  nodes_[next].prior = node;
  nodes_[at].next = node;
}

// The first of its size leaves its place in the tree to the next of the same size, or else to a leaf below it, which
// agrees with it in every bit that led there.
void SizeBins::erase_from_tree(uint32_t node, Bin bin) noexcept {
  const uint32_t equal = nodes_[node].next;
  if (equal != 0) {
    nodes_[equal].prior = 0;
    return replace(node, equal, bin);
  }
  uint32_t leaf = node;
  for (;;) {
    const Node& from = nodes_[leaf];
    const uint32_t below = from.child[1] != 0 ? from.child[1] : from.child[0];
    if (below == 0) break;
    work_.step();
    leaf = below;
  }
  Node& above = nodes_[nodes_[leaf].parent];
  above.child[above.child[1] == leaf] = 0;
  if (leaf != node) replace(node, leaf, bin);
}

void SizeBins::replace(uint32_t node, uint32_t by, Bin bin) noexcept {
  const Node& from = nodes_[node];
  nodes_[by].parent = from.parent;
  nodes_[by].child[0] = from.child[0];
  nodes_[by].child[1] = from.child[1];
  if (from.parent == 0) {
    heads_[bin.number] = by;
  } else {
    Node& above = nodes_[from.parent];
    above.child[above.child[1] == node] = by;
  }
  for (const uint32_t child : from.child) {
    if (child != 0) nodes_[child].parent = by;
  }
}

// The least of at least this size in the tree, or 0. Whatever stands in a right subtree that the path left aside is
// larger than the size; the last such subtree holds the least of them.
uint32_t SizeBins::least_from(uint32_t root, uint32_t size, uint32_t rest) const noexcept {
  uint32_t best = 0;
  uint32_t aside = 0;
  uint32_t bits = size << (32 - rest);
  for (uint32_t at = root; at != 0; bits <<= 1) {
    work_.step();
    const uint32_t found = nodes_[at].size;
    if (found >= size && (best == 0 || found < nodes_[best].size)) best = at;
    if (found == size) return at;
    const Node& from = nodes_[at];
    const uint32_t bit = bits >> 31;
    if (bit == 0 && from.child[1] != 0) aside = from.child[1];
    at = from.child[bit];
  }
  return aside == 0 ? best : least_below(aside, best == 0 ? aside : best);
}

// The least of `best` and the tree below `root`.
uint32_t SizeBins::least_below(uint32_t root, uint32_t best) const noexcept {
  for (uint32_t at = root; at != 0;) {
    work_.step();
    if (nodes_[at].size < nodes_[best].size) best = at;
    const Node& from = nodes_[at];
    at = from.child[0] != 0 ? from.child[0] : from.child[1];
  }
  return best;
}

// The members below a node, or UINT64_MAX when something is wrong: `common` are the leading bits that led here.
uint64_t SizeBins::sound_below(uint32_t node, uint32_t parent, uint32_t common, uint32_t rest) const {
  if (node == 0) return 0;
  const Node& first = nodes_[node];
  const uint32_t size = nodes_[node].size;
  if (first.parent != parent || nodes_[node].prior != 0 || uint64_t{size} >> rest != common) return UINT64_MAX;
  uint64_t members = 0;
  for (uint32_t at = node; at != 0; at = nodes_[at].next) {
    const uint32_t next = nodes_[at].next;
    if (nodes_[at].size != size || (next != 0 && nodes_[next].prior != at)) return UINT64_MAX;
    ++members;
  }
  if (rest == 0) return (first.child[0] | first.child[1]) == 0 ? members : UINT64_MAX;
  for (uint32_t bit = 0; bit < 2; ++bit) {
    const uint64_t below = sound_below(first.child[bit], node, common * 2 + bit, rest - 1);
    if (below == UINT64_MAX) return UINT64_MAX;
    members += below;
  }
  return members;
}

bool SizeBins::is_sound() const {
  uint64_t found = 0;
  for (uint32_t bin = 0; bin <= behind_; ++bin) {
    const bool marked = (leaves_[bin / 64] >> (bin % 64) & 1) != 0;
    if (marked != (heads_[bin] != 0)) return false;
    if (!marked) continue;
    const uint32_t rest = bin < two_mantissas_ ? 0 : bin / one_mantissa_ - 1;
    const uint64_t members = sound_below(heads_[bin], 0, bin - rest * one_mantissa_, rest);
    if (members == UINT64_MAX) return false;
    found += members;
  }
  for (size_t word = 0; word < roots_.size() * 64; ++word) {
    const bool marked = (roots_[word / 64] >> (word % 64) & 1) != 0;
    if (marked != (word < leaves_.size() && leaves_[word] != 0)) return false;
  }
  uint64_t members = 0;
  for (size_t node = 1; node < nodes_.size(); ++node) members += nodes_[node].size != 0;
  return members == found;
}

}  // namespace nautilus
