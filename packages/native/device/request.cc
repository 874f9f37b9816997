// Ranges are compared so that no sum can overflow: an offset near 2^64 is as hostile as a negative one.
#include "device/request.h"

namespace nautilus {
namespace {

using Kind = Operation::Kind;

std::string range_text(uint64_t offset, uint64_t bytes) {
  return std::to_string(bytes) + " bytes at offset " + std::to_string(offset);
}

bool is_inside(uint64_t offset, uint64_t bytes, uint64_t all) { return offset <= all && bytes <= all - offset; }

bool overlap(const Range& a, const Range& b) {
  return a.buffer == b.buffer && a.bytes > 0 && b.bytes > 0 && a.offset < b.offset + b.bytes &&
         b.offset < a.offset + a.bytes;
}

std::optional<std::string> refusal_of_buffer(const char* name, const DeviceBuffer* buffer, const void* owner) {
  if (buffer == nullptr) return std::string(name) + ": no buffer was given";
  if (buffer->owner() != owner) return std::string(name) + ": the buffer belongs to another device; import it here";
  return std::nullopt;
}

std::optional<std::string> refusal_of_range(const char* name, const Range& range, const void* owner) {
  if (auto refusal = refusal_of_buffer(name, range.buffer, owner)) return refusal;
  if (is_inside(range.offset, range.bytes, range.buffer->bytes())) return std::nullopt;
  return std::string(name) + ": " + range_text(range.offset, range.bytes) + " lie outside the buffer of " +
         std::to_string(range.buffer->bytes());
}

std::optional<std::string> refusal_of_moves(const Operation& operation, const void* owner) {
  if (auto refusal = refusal_of_buffer("target", operation.target.buffer, owner)) return refusal;
  const uint64_t all = operation.target.buffer->bytes();
  for (size_t at = 0; at < operation.moves.size(); ++at) {
    const BlockMove& move = operation.moves[at];
    if (is_inside(move.from, move.bytes, all) && is_inside(move.to, move.bytes, all)) continue;
    return "moves[" + std::to_string(at) + "]: " + range_text(move.from, move.bytes) + " to " +
           std::to_string(move.to) + " lie outside the buffer of " + std::to_string(all);
  }
  return std::nullopt;
}

std::optional<std::string> refusal_of_copy(const Operation& operation, const void* owner) {
  if (auto refusal = refusal_of_range("source", operation.source, owner)) return refusal;
  if (operation.source.bytes != operation.target.bytes) {
    return "source: " + std::to_string(operation.source.bytes) + " bytes do not fill a target of " +
           std::to_string(operation.target.bytes);
  }
  if (overlap(operation.source, operation.target)) return "source and target overlap; a move may, a copy may not";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> refusal_of(const Operation& operation, const void* owner) {
  const Kind kind = operation.kind;
  if (kind < Kind::kFill || kind > Kind::kMove) {
    return "operation " + std::to_string(static_cast<int>(kind)) + " is none that devices have";
  }
  auto refusal = kind == Kind::kMove ? refusal_of_moves(operation, owner)
                                     : refusal_of_range("target", operation.target, owner);
  if (!refusal && kind == Kind::kCopy) refusal = refusal_of_copy(operation, owner);
  if (!refusal && kind != Kind::kChecksum && !operation.target.buffer->is_writable()) {
    return "target: the memory was imported for reading only";
  }
  return refusal;
}

uint64_t bytes_of(const Operation& operation) noexcept {
  if (operation.kind != Kind::kMove) return operation.target.bytes;
  uint64_t bytes = 0;
  for (const BlockMove& move : operation.moves) bytes += move.bytes;
  return bytes;
}

}  // namespace nautilus
