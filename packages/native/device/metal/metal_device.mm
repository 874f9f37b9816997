// No Mac has compiled or run this yet; only the syntax check has seen it. Submitting, waiting and losing.
#import "device/metal/metal_device.h"

#include "device/apple/command_error.h"
#include "device/metal/encode.h"
#include "device/metal/metal_buffer.h"
#include "device/request.h"

namespace nautilus {
namespace {

constexpr const char* kInjected = "injected by a drill";

void mark(DeviceBuffer* buffer, uint64_t ticket) { static_cast<MetalBuffer*>(buffer)->last_ticket = ticket; }

}  // namespace

bool MetalDevice::may_allocate(std::string& why) {
  why = state_->why_lost();
  if (!why.empty()) return false;
  if (!state_->faults.strikes(InjectedFault::kOutOfMemoryAtAllocate)) return true;
  why = std::string("no room: ") + kInjected;
  return false;
}

std::unique_ptr<DeviceBuffer> MetalDevice::import(std::span<std::byte> memory, bool is_writable, std::string& why) {
  if (!may_allocate(why)) return nullptr;
  return MetalBuffer::import(state_, memory, is_writable, why);
}

std::unique_ptr<DeviceBuffer> MetalDevice::allocate(uint64_t bytes, std::string& why) {
  if (!may_allocate(why)) return nullptr;
  return MetalBuffer::born(state_, bytes, why);
}

Submitted MetalDevice::fail(DeviceStatus status, std::string reason) {
  ++failed_;
  if (status == DeviceStatus::kLost) state_->lost = reason;
  return {0, {status, std::move(reason), 0}};
}

Submitted MetalDevice::submit(const Operation& operation) {
  const std::lock_guard guard(state_->lock);
  if (!state_->lost.empty()) return {0, {DeviceStatus::kLost, state_->lost, 0}};
  if (auto refusal = refusal_of(operation, state_.get())) return {0, {DeviceStatus::kRefused, *refusal, 0}};
  if (state_->faults.strikes(InjectedFault::kLostAtSubmit)) {
    return fail(DeviceStatus::kLost, std::string("lost at a submission: ") + kInjected);
  }
  if (state_->faults.strikes(InjectedFault::kFailedAtSubmit)) return fail(DeviceStatus::kFailed, kInjected);
  @autoreleasepool {
    return commit(operation);
  }
}

Submitted MetalDevice::commit(const Operation& operation) {
  Submission submission;
  submission.is_lost_at_wait = state_->faults.strikes(InjectedFault::kLostAtWait);
  submission.commands = [state_->queue commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [submission.commands computeCommandEncoder];
  if (encoder == nil) return fail(DeviceStatus::kFailed, "Metal gave no command buffer");
  submission.is_checksum = operation.kind == Operation::Kind::kChecksum;
  if (submission.is_checksum) {
    const MetalBuffer& target = static_cast<const MetalBuffer&>(*operation.target.buffer);
    submission.plan = plan_checksum(target.layout(), operation.target.offset, operation.target.bytes);
    submission.checksums = take_checksums();
  }
  if (submission.is_checksum && submission.checksums == nil) {
    [encoder endEncoding];
    return fail(DeviceStatus::kFailed, "no room for checksums");
  }
  [encoder waitForFence:state_->order];
  encode_operation(*state_, encoder, operation, submission.plan, submission.checksums);
  [encoder updateFence:state_->order];
  [encoder endEncoding];
  const uint64_t ticket = ++state_->newest_ticket;
  [submission.commands encodeSignalEvent:state_->completed value:ticket];
  const std::shared_ptr<MetalState> state = state_;
  [submission.commands addCompletedHandler:^(id<MTLCommandBuffer>) {
    state->raise_completed(ticket);
  }];
  mark(operation.target.buffer, ticket);
  if (operation.kind == Operation::Kind::kCopy) mark(operation.source.buffer, ticket);
  [submission.commands commit];
  ++submitted_;
  submissions_.emplace(ticket, std::move(submission));
  return {ticket, {}};
}

id<MTLBuffer> MetalDevice::take_checksums() {
  if (free_checksums_.empty()) {
    return [state_->device newBufferWithLength:kMostChunks * sizeof(uint32_t) options:MTLResourceStorageModeShared];
  }
  id<MTLBuffer> checksums = free_checksums_.back();
  free_checksums_.pop_back();
  return checksums;
}

DeviceResult MetalDevice::wait(DeviceTicket ticket, uint64_t timeout_ms) {
  {
    const std::lock_guard guard(state_->lock);
    if (!state_->lost.empty()) return {DeviceStatus::kLost, state_->lost, 0};
    const auto found = submissions_.find(ticket);
    if (found == submissions_.end()) {
      return {DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " is not known, or was waited for", 0};
    }
    if (found->second.is_lost_at_wait) {
      ++failed_;
      state_->lost = std::string("lost while waiting: ") + kInjected;
      return {DeviceStatus::kLost, state_->lost, 0};
    }
  }
  @autoreleasepool {
    if (!state_->wait_for(ticket, timeout_ms)) {
      return {DeviceStatus::kTimedOut, "not complete after " + std::to_string(timeout_ms) + " ms", 0};
    }
    const std::lock_guard guard(state_->lock);
    if (!state_->lost.empty()) return {DeviceStatus::kLost, state_->lost, 0};
    const auto found = submissions_.find(ticket);
    if (found == submissions_.end()) {
      return {DeviceStatus::kRefused, "ticket " + std::to_string(ticket) + " was waited for by another thread", 0};
    }
    Submission submission = std::move(found->second);
    submissions_.erase(found);
    return finish(std::move(submission));
  }
}

DeviceResult MetalDevice::finish(Submission submission) {
  // The event comes from the GPU, a moment before the driver has written the outcome.
  [submission.commands waitUntilCompleted];
  DeviceResult result;
  if (submission.commands.status == MTLCommandBufferStatusError) {
    NSError* error = submission.commands.error;
    const long code = error == nil ? 0 : error.code;
    const CommandError known = command_error_of(code);
    result.status = known.status;
    result.reason = std::string(known.meaning) + " (Metal's code " + std::to_string(code) + ")";
    ++failed_;
    if (known.status == DeviceStatus::kLost) state_->lost = result.reason;
  } else if (submission.is_checksum) {
    const auto* checksums = static_cast<const uint32_t*>(submission.checksums.contents);
    result.checksum = join_chunks(submission.plan, {checksums, submission.plan.chunks});
  }
  if (submission.is_checksum) free_checksums_.push_back(submission.checksums);
  return result;
}

DeviceHealth MetalDevice::health() const {
  const std::lock_guard guard(state_->lock);
  return {state_->lost.empty(), state_->lost, submitted_, failed_};
}

}  // namespace nautilus
