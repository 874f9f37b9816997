// What computes on memory: the host's own processor, a GPU, a neural engine. One small interface, one folder for each
// implementation, one conformance suite for all (test/device_conformance.h). Segments are imported in place where the
// device can do that; where it cannot, the import is a copy and says why. Nothing here pretends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nautilus {

struct DeviceInfo {
  std::string id;      // unique on this host, "vulkan:0"
  std::string kind;    // the folder: "host", "vulkan", "metal", "coreml"
  std::string name;    // what the driver calls it
  bool is_software = false;     // computed by the host's processor whatever it is called, as llvmpipe is
  bool is_unified = false;      // sees the host's memory at the host's speed
  bool can_compute = true;      // runs the operations below; a device that only holds buffers says no
  std::string compute_reason;   // why not; empty when it can
};

struct DeviceLimits {
  uint64_t import_alignment_bytes = 1;  // of base and length of what is imported
  uint64_t most_buffer_bytes = 0;  // of one that is born on it; imports may be larger, in several pieces
  // What the device works well with, over all processes; nothing where the driver does not say.
  std::optional<uint64_t> working_set_bytes;
  std::string working_set_source;  // or the reason why there is none
};

enum class DeviceStatus : int {
  kDone = 0,
  kTimedOut = 1,  // goes on; wait again
  kLost = 2,      // and every buffer of the device with it; what was imported in place is unharmed
  kRefused = 3,   // the request cannot be: a range outside a buffer, a buffer of another device, no such operation
  kFailed = 4,    // the driver says no; the device may work on
};

struct DeviceResult {
  DeviceStatus status = DeviceStatus::kDone;
  std::string reason;   // empty when done
  uint32_t checksum = 0;  // of checksum operations
};

// Memory that the device reaches: imported, or born on it (then it is zero). Its destructor waits for the operations
// that use it, and it may outlive its device object.
class DeviceBuffer {
 public:
  virtual ~DeviceBuffer() = default;
  virtual uint64_t bytes() const noexcept = 0;
  // True: host and device see the same bytes, and no operation copies between the two.
  virtual bool is_shared() const noexcept = 0;
  // Why not; empty when shared.
  virtual const std::string& reason() const noexcept = 0;
  // False: imported from memory that the host may only read. Operations that would write are refused.
  virtual bool is_writable() const noexcept = 0;
  // One value for all buffers of a device, which no other living device has.
  virtual const void* owner() const noexcept = 0;
  // For the host's processor; null when only the device reaches it.
  virtual std::byte* host_address() const noexcept = 0;
  // How the device names the byte at this offset: an address where it has addresses (`is_address`), else a number of
  // the buffer, to be used with the offset. Costs no call of the driver.
  struct Place {
    uint64_t base;
    uint64_t offset;
    bool is_address;
  };
  virtual Place place(uint64_t offset) const noexcept = 0;
  // Places are linear inside stretches of this length, so that callers compute them from the first of each; the last
  // one may be shorter. The buffer's own length unless the driver took the memory in pieces.
  virtual uint64_t stretch_bytes() const noexcept { return bytes(); }
};

struct Range {
  DeviceBuffer* buffer = nullptr;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

struct BlockMove {
  uint64_t from = 0;
  uint64_t to = 0;  // places of one block may overlap, so a move is as memmove; blocks move in the order given
  uint64_t bytes = 0;
};

// One of the operations every computing device has. Offsets and lengths are any number of bytes; no byte outside the
// range is written, not even with its own value. Operations of one device take effect in the order of submission.
struct Operation {
  enum class Kind { kFill, kCopy, kScrub, kChecksum, kMove };
  Kind kind = Kind::kFill;
  Range target;                  // checksum (CRC32C): what is read. A move: the buffer alone counts
  Range source;                  // of a copy; as long as the target, and not overlapping it
  uint8_t value = 0;             // of a fill; a scrub writes zeros
  std::span<const BlockMove> moves;  // offsets in the target's buffer; read before submit() returns
};

using DeviceTicket = uint64_t;  // 0: refused at once, see `refusal`

struct Submitted {
  DeviceTicket ticket = 0;
  DeviceResult refusal;
};

struct DeviceHealth {
  bool is_usable = true;
  std::string reason;  // why not
  uint64_t submitted = 0;
  uint64_t failed = 0;
};

// For drills: one answer of the driver is replaced, and the code above it cannot tell the difference. Counted are
// submissions (kLostAtWait strikes when the submission is waited for), or allocations and imports. See fault_plan.h.
enum class InjectedFault { kNone, kLostAtSubmit, kFailedAtSubmit, kLostAtWait, kOutOfMemoryAtAllocate };

// Any thread may call anything. What every implementation must refuse alike is in request.h.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const noexcept = 0;
  virtual const DeviceLimits& limits() const noexcept = 0;
  // The memory stays until the buffer is gone. What a driver refuses is no error: the buffer is then born on the
  // device, holds a copy of the bytes, and says so. Null, and `why`: no bytes, no room for the copy, device lost.
  virtual std::unique_ptr<DeviceBuffer> import(std::span<std::byte> memory, bool is_writable, std::string& why) = 0;
  // Born on the device. Null, and `why`: no bytes, no room, device lost.
  virtual std::unique_ptr<DeviceBuffer> allocate(uint64_t bytes, std::string& why) = 0;
  virtual Submitted submit(const Operation& operation) = 0;
  // Each ticket is waited for until it is done, and then known no more (kRefused). 0 looks and does not wait.
  virtual DeviceResult wait(DeviceTicket ticket, uint64_t timeout_ms) = 0;
  virtual DeviceHealth health() const = 0;
  // `after` others go through first; kNone withdraws.
  virtual void inject(InjectedFault fault, uint32_t after) = 0;
};

// A kind of device: what is there, and why nothing is.
struct DeviceKind {
  const char* name;
  const char* summary;
  struct Found {
    std::vector<std::unique_ptr<Device>> devices;
    std::string reason;  // why there is none, or why some were left out; empty when neither
  };
  Found (*detect)();
};

// All kinds that were compiled, host first. Adding one is a folder and one line in registry.cc.
std::span<const DeviceKind> device_kinds() noexcept;

}  // namespace nautilus
