// No Mac has compiled or run this yet; only the syntax check has seen it. One dispatch for each piece of a range that
// lies in one view; dispatches of an encoder run one after the other.
#import "device/metal/encode.h"

#include <algorithm>

#include "device/metal/metal_buffer.h"
#include "device/move_steps.h"

#define NAUTILUS_KERNELS(...) #__VA_ARGS__

namespace nautilus {
namespace {

constexpr const char* kPreamble =
    "#include <metal_stdlib>\n"
    "using namespace metal;\n"
    "#define NAUTILUS_BUFFER(number) [[buffer(number)]]\n"
    "#define NAUTILUS_THREAD [[thread_position_in_grid]]\n";
constexpr const char* kKernels =
#include "device/metal/kernels.metal.h"
    ;

constexpr uint64_t kGranuleBytes = 16;  // of a thread, as in the kernels
constexpr uint64_t kThreadsOfAGroup = 256;
constexpr uint64_t kMostDispatchBytes = uint64_t{1} << 32;  // so that a thread's number has 32 bits

// As in the kernels.
struct FillCall {
  uint64_t offset;
  uint64_t bytes;
  uint32_t value;
  uint32_t unused;
};
struct CopyCall {
  uint64_t target;
  uint64_t source;
  uint64_t bytes;
};
struct ChecksumCall {
  uint64_t offset;
  uint64_t bytes;
  uint64_t chunk_bytes;
  uint32_t first_chunk;
  uint32_t unused;
};

// A place in a view.
struct Spot {
  id<MTLBuffer> view;
  uint64_t offset;
  uint64_t left;
};

const MetalBuffer& metal_buffer(const DeviceBuffer* buffer) { return static_cast<const MetalBuffer&>(*buffer); }

Spot spot_of(const MetalBuffer& buffer, uint64_t offset) {
  const uint64_t number = buffer.layout().holding(offset);
  return {buffer.view(number), offset - buffer.layout().at(number).first, buffer.layout().left_behind(offset)};
}

uint64_t threads_for(uint64_t offset, uint64_t bytes) {
  return (offset % kGranuleBytes + bytes + kGranuleBytes - 1) / kGranuleBytes;
}

class Encoder {
 public:
  Encoder(const MetalState& state, id<MTLComputeCommandEncoder> encoder) : state_(state), encoder_(encoder) {}

  void fill(const MetalBuffer& buffer, uint64_t offset, uint64_t bytes, uint8_t value) {
    while (bytes > 0) {
      const Spot spot = spot_of(buffer, offset);
      const uint64_t here = std::min({bytes, spot.left, kMostDispatchBytes});
      const FillCall call{spot.offset, here, value, 0};
      [encoder_ setBytes:&call length:sizeof call atIndex:1];
      dispatch(state_.fill, spot.view, threads_for(spot.offset, here));
      offset += here;
      bytes -= here;
    }
  }

  void copy(const MetalBuffer& target, uint64_t to, const MetalBuffer& source, uint64_t from, uint64_t bytes) {
    while (bytes > 0) {
      const Spot into = spot_of(target, to);
      const Spot out = spot_of(source, from);
      const uint64_t here = std::min({bytes, into.left, out.left, kMostDispatchBytes});
      copy_spot(into, out, here);
      to += here;
      from += here;
      bytes -= here;
    }
  }

  void checksum(const MetalBuffer& buffer, const ChecksumPlan& plan, id<MTLBuffer> checksums) {
    for (const ChecksumPlan::Run& run : plan.runs) {
      const Spot spot = spot_of(buffer, run.offset);
      const ChecksumCall call{spot.offset, run.bytes, plan.chunk_bytes, run.first_chunk, 0};
      [encoder_ setBytes:&call length:sizeof call atIndex:1];
      [encoder_ setBuffer:spot.view offset:0 atIndex:2];
      dispatch(state_.checksum, checksums, run.chunks);
    }
  }

  void move(const MetalBuffer& buffer, const BlockMove& block) {
    for_each_move_step(block, kMoveScratchBytes, [&](const CopyStep& step) {
      if (step.through == CopyStep::Through::kNothing) {
        copy(buffer, step.to, buffer, step.from, step.bytes);
      } else {
        through_scratch(buffer, step);
      }
    });
  }

 private:
  void through_scratch(const MetalBuffer& buffer, const CopyStep& step) {
    const bool is_in = step.through == CopyStep::Through::kIntoScratch;
    uint64_t offset = is_in ? step.from : step.to;
    for (uint64_t done = 0; done < step.bytes;) {
      const Spot spot = spot_of(buffer, offset);
      const Spot scratch{state_.move_scratch, done, kMoveScratchBytes - done};
      const uint64_t here = std::min(step.bytes - done, spot.left);
      copy_spot(is_in ? scratch : spot, is_in ? spot : scratch, here);
      offset += here;
      done += here;
    }
  }

  void copy_spot(const Spot& into, const Spot& out, uint64_t bytes) {
    const CopyCall call{into.offset, out.offset, bytes};
    [encoder_ setBytes:&call length:sizeof call atIndex:1];
    [encoder_ setBuffer:out.view offset:0 atIndex:2];
    dispatch(state_.copy, into.view, threads_for(into.offset, bytes));
  }

  void dispatch(id<MTLComputePipelineState> kernel, id<MTLBuffer> target, uint64_t threads) {
    [encoder_ setComputePipelineState:kernel];
    [encoder_ setBuffer:target offset:0 atIndex:0];
    const uint64_t groups = (threads + kThreadsOfAGroup - 1) / kThreadsOfAGroup;
    [encoder_ dispatchThreadgroups:MTLSizeMake(groups, 1, 1)
             threadsPerThreadgroup:MTLSizeMake(kThreadsOfAGroup, 1, 1)];
    // Views overlap, which the driver's own tracking does not know.
    [encoder_ memoryBarrierWithScope:MTLBarrierScopeBuffers];
  }

  const MetalState& state_;
  id<MTLComputeCommandEncoder> encoder_;
};

std::string text_of(NSError* error, const char* otherwise) {
  return error == nil ? otherwise : error.localizedDescription.UTF8String;
}

id<MTLComputePipelineState> pipeline(id<MTLDevice> device, id<MTLLibrary> library, NSString* name, std::string& why) {
  id<MTLFunction> function = [library newFunctionWithName:name];
  if (function == nil) {
    why = std::string("the kernel ") + name.UTF8String + " is not in the compiled text";
    return nil;
  }
  NSError* error = nil;
  id<MTLComputePipelineState> made = [device newComputePipelineStateWithFunction:function error:&error];
  if (made == nil) {
    why = std::string("no pipeline for ") + name.UTF8String + ": " + text_of(error, "the driver says no more");
  } else if (made.maxTotalThreadsPerThreadgroup < kThreadsOfAGroup) {
    why = std::string(name.UTF8String) + " runs in groups of " + std::to_string(made.maxTotalThreadsPerThreadgroup) +
          " threads at most; " + std::to_string(kThreadsOfAGroup) + " are needed";
  }
  return made;
}

}  // namespace

std::string compile_kernels(MetalState& state) {
  NSString* text = [NSString stringWithUTF8String:(std::string(kPreamble) + kKernels).c_str()];
  NSError* error = nil;
  // Warnings come as an error beside the library.
  id<MTLLibrary> library = [state.device newLibraryWithSource:text options:nil error:&error];
  if (library == nil) return "the kernels do not compile: " + text_of(error, "the driver says no more");
  std::string why;
  state.fill = pipeline(state.device, library, @"nautilus_fill", why);
  if (why.empty()) state.copy = pipeline(state.device, library, @"nautilus_copy", why);
  if (why.empty()) state.checksum = pipeline(state.device, library, @"nautilus_checksum", why);
  return why;
}

void encode_operation(const MetalState& state, id<MTLComputeCommandEncoder> encoder, const Operation& operation,
                      const ChecksumPlan& plan, id<MTLBuffer> checksums) {
  Encoder commands(state, encoder);
  const MetalBuffer& target = metal_buffer(operation.target.buffer);
  const Range& range = operation.target;
  switch (operation.kind) {
    case Operation::Kind::kFill:
      commands.fill(target, range.offset, range.bytes, operation.value);
      break;
    case Operation::Kind::kScrub:
      commands.fill(target, range.offset, range.bytes, 0);
      break;
    case Operation::Kind::kCopy:
      commands.copy(target, range.offset, metal_buffer(operation.source.buffer), operation.source.offset, range.bytes);
      break;
    case Operation::Kind::kChecksum:
      commands.checksum(target, plan, checksums);
      break;
    case Operation::Kind::kMove:
      for (const BlockMove& block : operation.moves) commands.move(target, block);
      break;
  }
}

}  // namespace nautilus
