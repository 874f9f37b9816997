// Questions whose answers are not documented, asked of the machine at hand. The answers are recorded; nothing in the
// product relies on them.
#pragma once

#include <string>
#include <vector>

namespace nautilus {

struct Finding {
  std::string question;
  std::string answer;
};

// Whether a GPU sees the same bytes as a surface, when the surface's base address is wrapped.
Finding surface_in_metal();
// How rows of a narrow surface are padded.
Finding row_padding();

}  // namespace nautilus
