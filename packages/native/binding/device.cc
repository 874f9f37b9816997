// Devices for JavaScript. A buffer holds its device and, imported, the mapping: closing a mapping takes its views away
// at once, and its memory with the last buffer that was imported from it.
#include "binding/device.h"

#include <cstring>

#include "binding/functions.h"
#include "binding/mapping.h"
#include "binding/values.h"

namespace nautilus {
namespace {

napi_value facts_of(napi_env env, const Device& device) {
  const DeviceInfo& info = device.info();
  const DeviceLimits& limits = device.limits();
  const std::optional<std::string> compute_reason =
      info.can_compute ? std::nullopt : std::optional(info.compute_reason);
  return ObjectBuilder(env)
      .set("id", info.id)
      .set("kind", info.kind)
      .set("name", info.name)
      .set("software", info.is_software)
      .set("unified", info.is_unified)
      .set("computes", info.can_compute)
      .set("computeReason", compute_reason)
      .set("importAlignmentBytes", limits.import_alignment_bytes)
      .set("mostBufferBytes", limits.most_buffer_bytes)
      .set("workingSetBytes", limits.working_set_bytes)
      .set("workingSetSource", limits.working_set_source)
      .done();
}

OpenedDevice& opened(const Call& call) {
  const auto& device = call.object<OpenedDevice>(0);
  if (device == nullptr) throw Failure(ErrorCode::kClosed, "device: already closed");
  return *device;
}

const std::shared_ptr<HeldBuffer>& held(const Call& call, size_t at) {
  const auto& buffer = call.object<HeldBuffer>(at);
  if (buffer == nullptr) throw Failure(ErrorCode::kClosed, "device buffer: already closed");
  return buffer;
}

[[noreturn]] void throw_no_buffer(const Device& device, const std::string& doing, const std::string& why) {
  const ErrorCode code = device.health().is_usable ? ErrorCode::kOutOfMemory : ErrorCode::kDeviceLost;
  throw Failure(code, "device " + device.info().id + ": " + doing + ": " + why);
}

// The first place of every stretch; between them JavaScript adds.
napi_value buffer_to_js(napi_env env, std::shared_ptr<HeldBuffer> made) {
  const DeviceBuffer& buffer = *made->buffer;
  ArrayBuilder bases(env);
  for (uint64_t offset = 0; offset < buffer.bytes(); offset += buffer.stretch_bytes()) {
    bases.add(buffer.place(offset).base);
  }
  const bool is_shared = buffer.is_shared();
  const bool is_address = buffer.place(0).is_address;
  return ObjectBuilder(env)
      .set("bytes", buffer.bytes())
      .set("shared", is_shared)
      .set("writable", buffer.is_writable())
      .set("reason", is_shared ? std::nullopt : std::optional(buffer.reason()))
      .set("stretchBytes", buffer.stretch_bytes())
      .set("bases", bases.done())
      .set("isAddress", is_address)
      .set("handle", wrap(env, std::move(made)))
      .done();
}

std::span<std::byte> host_bytes(const HeldBuffer& held, uint64_t offset, uint64_t bytes) {
  const DeviceBuffer& buffer = *held.buffer;
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw Failure(ErrorCode::kInvalidArgument, "device buffer: " + std::to_string(bytes) + " bytes at offset " +
                                                   std::to_string(offset) + " lie outside its " +
                                                   std::to_string(buffer.bytes()));
  }
  if (buffer.host_address() == nullptr) {
    throw Failure(ErrorCode::kUnsupported, "device buffer: only the device reaches this memory");
  }
  const DeviceHealth health = held.device->health();
  if (!health.is_usable && held.region == nullptr) throw Failure(ErrorCode::kDeviceLost, "device: " + health.reason);
  return {buffer.host_address() + offset, bytes};
}

}  // namespace

napi_value devices_detect(const Call& call) {
  ArrayBuilder kinds(call.env());
  ArrayBuilder devices(call.env());
  for (const DeviceKind& kind : device_kinds()) {
    const DeviceKind::Found found = kind.detect();
    const std::optional<std::string> reason = found.reason.empty() ? std::nullopt : std::optional(found.reason);
    kinds.add(
        ObjectBuilder(call.env()).set("kind", kind.name).set("summary", kind.summary).set("reason", reason).done());
    for (const auto& device : found.devices) devices.add(facts_of(call.env(), *device));
  }
  return ObjectBuilder(call.env()).set("kinds", kinds.done()).set("devices", devices.done()).done();
}

napi_value device_open(const Call& call) {
  const std::string id = call.text(0);
  std::string reasons;
  for (const DeviceKind& kind : device_kinds()) {
    if (!id.starts_with(std::string(kind.name) + ":")) continue;
    DeviceKind::Found found = kind.detect();
    reasons = found.reason;
    for (auto& device : found.devices) {
      if (device->info().id != id) continue;
      auto opened = std::make_shared<OpenedDevice>();
      opened->device = std::move(device);
      opened->waiter = std::make_unique<DeviceWaiter>(call.env(), opened->device);
      napi_value facts = facts_of(call.env(), *opened->device);
      return ObjectBuilder(call.env()).set("facts", facts).set("handle", wrap(call.env(), std::move(opened))).done();
    }
  }
  throw Failure(ErrorCode::kNotFound, "device '" + id + "': not on this machine" +
                                          (reasons.empty() ? "; see detectDevices()" : " (" + reasons + ")"));
}

napi_value device_import(const Call& call) {
  const OpenedDevice& device = opened(call);
  const std::shared_ptr<MappedRegion> region = call.object<Mapping>(1)->region;
  call.object<Mapping>(1)->open();
  std::string why;
  auto buffer = device.device->import({region->base(), region->bytes()}, region->is_writable(), why);
  if (buffer == nullptr) throw_no_buffer(*device.device, "importing " + std::to_string(region->bytes()) + " bytes", why);
  return buffer_to_js(call.env(), std::make_shared<HeldBuffer>(device.device, std::move(buffer), region));
}

napi_value device_allocate(const Call& call) {
  const OpenedDevice& device = opened(call);
  const uint64_t bytes = call.size(1);
  std::string why;
  auto buffer = device.device->allocate(bytes, why);
  if (buffer == nullptr) throw_no_buffer(*device.device, "allocating " + std::to_string(bytes) + " bytes", why);
  return buffer_to_js(call.env(), std::make_shared<HeldBuffer>(device.device, std::move(buffer), nullptr));
}

// Numbers: target's offset, bytes, source's offset, value; of moves: from, to and bytes of each.
napi_value device_submit(const Call& call) {
  const OpenedDevice& device = opened(call);
  auto pending = std::make_unique<PendingOperation>();
  pending->target = held(call, 2);
  if (!call.is_null(3)) pending->source = held(call, 3);
  Operation operation;
  operation.kind = static_cast<Operation::Kind>(call.size(1));
  operation.target.buffer = pending->target->buffer.get();
  const std::span<double> numbers = call.doubles(4);
  const auto number = [&](size_t at) { return static_cast<uint64_t>(numbers[at]); };
  std::vector<BlockMove> moves;
  if (operation.kind == Operation::Kind::kMove) {
    for (size_t at = 0; at + 3 <= numbers.size(); at += 3) {
      moves.push_back({number(at), number(at + 1), number(at + 2)});
    }
    operation.moves = moves;
  } else {
    if (numbers.size() != 4) throw call.wrong(4, "four numbers");
    operation.target.offset = number(0);
    operation.target.bytes = number(1);
    if (pending->source != nullptr) operation.source = {pending->source->buffer.get(), number(2), number(1)};
    operation.value = static_cast<uint8_t>(numbers[3]);
  }
  napi_value promise = nullptr;
  check(napi_create_promise(call.env(), &pending->deferred, &promise));
  const Submitted submitted = device.device->submit(operation);
  if (submitted.ticket == 0) {
    settle(call.env(), pending->deferred, submitted.refusal);
    return promise;
  }
  pending->ticket = submitted.ticket;
  device.waiter->add(std::move(pending));
  return promise;
}

napi_value device_health(const Call& call) {
  const DeviceHealth health = opened(call).device->health();
  const std::optional<std::string> reason = health.is_usable ? std::nullopt : std::optional(health.reason);
  return ObjectBuilder(call.env())
      .set("usable", health.is_usable)
      .set("reason", reason)
      .set("submitted", health.submitted)
      .set("failed", health.failed)
      .done();
}

napi_value device_inject(const Call& call) {
  opened(call).device->inject(static_cast<InjectedFault>(call.size(1)), static_cast<uint32_t>(call.size(2)));
  return undefined_js();
}

napi_value device_close(const Call& call) {
  call.object<OpenedDevice>(0).reset();
  return undefined_js();
}

napi_value device_buffer_read(const Call& call) {
  const std::span<std::byte> bytes = host_bytes(*held(call, 0), call.size(1), call.size(2));
  napi_value copy = nullptr;
  check(napi_create_buffer_copy(call.env(), bytes.size(), bytes.data(), nullptr, &copy));
  return copy;
}

napi_value device_buffer_write(const Call& call) {
  const std::span<const std::byte> bytes = call.bytes(2);
  if (!held(call, 0)->buffer->is_writable()) {
    throw Failure(ErrorCode::kPermissionDenied, "device buffer: imported for reading only");
  }
  const std::span<std::byte> into = host_bytes(*held(call, 0), call.size(1), bytes.size());
  if (!bytes.empty()) std::memcpy(into.data(), bytes.data(), bytes.size());
  return undefined_js();
}

napi_value device_buffer_close(const Call& call) {
  call.object<HeldBuffer>(0).reset();
  return undefined_js();
}

}  // namespace nautilus
