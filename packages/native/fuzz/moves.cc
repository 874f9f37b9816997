// Any sequence of operations on a pool whose blocks move: what a block, a pin or a reader looks at never changes its
// bytes, and an owner that takes over at any moment finds every living block whole.
#include "fuzz/input.h"
#include "test/movable_model.h"

using namespace nautilus;
using namespace nautilus::fuzz;
using namespace nautilus::test;

namespace {

// Near a few low slots and generations, so that each block is met.
uint64_t any_handle(Input& input) {
  const uint64_t generation = input.byte();
  return generation << 32 | uint64_t{kTag} << kSlotBits | input.byte();
}

void allocate(MovableModel& model, Input& input, uint64_t bytes) {
  const uint8_t dice = input.byte();
  model.allocate(bytes, dice % 4 == 0 ? uint64_t{1} << (dice / 4 % 14) : kGranule);
}

void allocate_many(MovableModel& model, Input& input) {
  const uint64_t bytes = (1 + input.byte() % 64) * 8;
  for (unsigned left = input.byte() % 32; left > 0; --left) allocate(model, input, bytes);
}

void unpin(MovableModel& model, Input& input) {
  const uint8_t dice = input.byte();
  model.unpin(input.byte(), dice % 2 != 0, dice / 2 % 2 == 0);
}

void pass(MovableModel& model, Input& input) {
  const uint64_t max_bytes = kGranule << (input.byte() % 10);
  model.pass({max_bytes, 1u + input.byte() % 8});
}

void step(MovableModel& model, Input& input) {
  switch (input.byte() % 12) {
    case 0: case 1: case 2: case 3: return allocate(model, input, (1 + input.size(11)) * 8);
    case 4: case 5: return model.free(any_handle(input));
    case 6: return model.pin(any_handle(input));
    case 7: return unpin(model, input);
    case 8: return model.toggle_reader(input.byte() % 2 == 0);
    case 9: case 10: return pass(model, input);
    case 11: return input.byte() % 4 == 0 ? model.kill_copy() : allocate_many(model, input);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  constexpr int kMostSteps = 600;
  Input input(data, bytes);
  const char* strategy = kMovableStrategies[input.byte() % kMovableStrategies.size()];
  MovableModel model(strategy, (1 + input.number(2) % 1024) * kGranule);
  for (int done = 1; done <= kMostSteps && !input.is_empty(); ++done) {
    step(model, input);
    if (done % 4 == 0) model.check();
  }
  model.check();
  model.drain_everything();
  return 0;
}
