// Finds the peers on this machine. They are opened at run time and asked through pointers, so that none of them
// becomes the allocator of this program or of another peer.
#pragma once

#include <vector>

#include "heaps.h"
#include "report.h"

namespace nautilus::bench {

// Those that are here; each of the others is reported with the reason and what installs it.
std::vector<Peer> find_peers(Report& report);

}  // namespace nautilus::bench
