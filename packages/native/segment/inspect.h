// Facts of a descriptor that somebody handed over, before anything is done with it.
#pragma once

#include <cstdint>

namespace nautilus {

struct Inspection {
  uint64_t device;
  uint64_t inode;
  uint64_t bytes;
  bool is_regular;
  bool writable;
  bool sealed_shrink;
  bool sealed_grow;
  bool sealed_write;
};

Inspection inspect_descriptor(int fd);

}  // namespace nautilus
