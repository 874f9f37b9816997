// The word `process` decides: it is exchanged for "being claimed" first and holds the claimer's number last, so what
// stands beside it is complete whenever it holds a number.
#include "os/process_identity.h"

#include <unistd.h>

#include <random>

namespace nautilus {
namespace {

constexpr uint64_t kBeingClaimed = uint64_t{1} << 63;

uint64_t nonce_of_this_copy() {
  static const uint64_t nonce = [] {
    std::random_device random;
    return (uint64_t{random()} << 32 | random()) | 1;
  }();
  return nonce;
}

OwnerRecord copy_of(const OwnerRecord& owner) noexcept {
  OwnerRecord copy{};
  copy.process = load_acquire(owner.process);
  copy.started = load_relaxed(owner.started);
  copy.name_space = load_relaxed(owner.name_space);
  copy.boot = load_relaxed(owner.boot);
  copy.nonce = load_relaxed(owner.nonce);
  std::atomic_thread_fence(std::memory_order_acquire);
  return copy;
}

OwnerState state_of_record(const OwnerRecord& owner, const ProcessIdentity& self) {
  if (owner.process == 0) return OwnerState::kClosed;
  if ((owner.process & kBeingClaimed) != 0) {
    const uint64_t claimer = owner.process & ~kBeingClaimed;
    return facts_of_process(claimer).state == ProcessState::kGone ? OwnerState::kDead : OwnerState::kAlive;
  }
  if (owner.boot == 0 || self.boot == 0) return OwnerState::kUnknown;
  if (owner.boot != self.boot) return OwnerState::kDead;
  if (owner.name_space == 0 || owner.name_space != self.name_space) return OwnerState::kUnknown;
  if (owner.process == self.process && owner.started == self.started) {
    return owner.nonce == self.nonce ? OwnerState::kSelf : OwnerState::kOtherCopy;
  }
  const ProcessFacts facts = facts_of_process(owner.process);
  if (facts.state == ProcessState::kGone) return OwnerState::kDead;
  const bool is_another = facts.started != 0 && owner.started != 0 && facts.started != owner.started;
  return is_another ? OwnerState::kDead : OwnerState::kAlive;
}

void write_identity(OwnerRecord& owner, const ProcessIdentity& self) noexcept {
  store_relaxed(owner.started, self.started);
  store_relaxed(owner.name_space, self.name_space);
  store_relaxed(owner.boot, self.boot);
  store_relaxed(owner.nonce, self.nonce);
  store_release(owner.process, self.process);
}

}  // namespace

ProcessIdentity own_identity() {
  ProcessIdentity self;
  self.process = static_cast<uint64_t>(::getpid());
  self.started = facts_of_process(self.process).started;
  self.name_space = own_name_space();
  self.boot = boot_identity();
  self.nonce = nonce_of_this_copy();
  return self;
}

OwnerState owner_state(const LedgerHeader& header, const ProcessIdentity& self) {
  constexpr int kMostLooks = 16;
  for (int look = 0; look < kMostLooks; ++look) {
    const OwnerRecord before = copy_of(header.owner);
    if (load_relaxed(header.owner.process) == before.process) return state_of_record(before, self);
  }
  // It changes all the time, so somebody is at it.
  return OwnerState::kAlive;
}

ClaimOutcome claim_ledger(LedgerHeader& header, const ProcessIdentity& self) {
  OwnerRecord& owner = header.owner;
  OwnerRecord before = copy_of(owner);
  const OwnerState state = state_of_record(before, self);
  switch (state) {
    case OwnerState::kAlive: return ClaimOutcome::kHeld;
    case OwnerState::kOtherCopy: return ClaimOutcome::kHeldByCopy;
    case OwnerState::kSelf: return ClaimOutcome::kHeldAlready;
    case OwnerState::kUnknown: return ClaimOutcome::kUnknownOwner;
    case OwnerState::kClosed:
    case OwnerState::kDead: break;
  }
  std::atomic_ref<uint64_t> process(owner.process);
  uint64_t expected = before.process;
  if (!process.compare_exchange_strong(expected, kBeingClaimed | self.process)) return ClaimOutcome::kHeld;
  // A process that has the dead one's number may have claimed in between: then it is not the same record.
  if (load_relaxed(owner.nonce) != before.nonce || load_relaxed(owner.started) != before.started) {
    process.store(before.process, std::memory_order_release);
    return ClaimOutcome::kHeld;
  }
  write_identity(owner, self);
  return state == OwnerState::kClosed ? ClaimOutcome::kClaimed : ClaimOutcome::kClaimedOfDead;
}

void take_ledger(LedgerHeader& header, const ProcessIdentity& self) noexcept {
  std::atomic_ref<uint64_t>(header.owner.process).exchange(kBeingClaimed | self.process);
  write_identity(header.owner, self);
}

bool release_ledger(LedgerHeader& header, const ProcessIdentity& self) noexcept {
  const OwnerRecord owner = copy_of(header.owner);
  const bool is_ours = owner.process == self.process && owner.started == self.started && owner.nonce == self.nonce &&
                       owner.name_space == self.name_space && owner.boot == self.boot;
  if (is_ours) store_release(header.owner.process, uint64_t{0});
  return is_ours;
}

}  // namespace nautilus
