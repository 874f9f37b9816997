// Which process owns a ledger, and whether it still runs. A process number says that neither across namespaces nor over
// time, so the owner writes down when it started, in which namespace, since which boot, and which copy of this code
// in it speaks.
#pragma once

#include <cstdint>
#include <optional>

#include "alloc/ledger_layout.h"

namespace nautilus {

struct ProcessIdentity {
  uint64_t process = 0;
  uint64_t started = 0;     // in the kernel's units; 0 when it does not say
  uint64_t name_space = 0;  // of process numbers; 0 when the kernel does not say
  uint64_t boot = 0;        // 0 when the kernel does not say
  uint64_t nonce = 0;       // of this copy of the code, never 0
};

// Of the calling process, as of now: a fork is another process.
ProcessIdentity own_identity();

enum class OwnerState {
  kClosed,          // nobody's, or closed in good order
  kAlive,           // also while it claims, and whenever its death cannot be proved
  kOtherCopy,       // this process, through another copy of this code
  kSelf,            // this process and this copy
  kDead,
  kUnknown,         // lives, or not, in another namespace of process numbers
};
OwnerState owner_state(const LedgerHeader& header, const ProcessIdentity& self);

enum class ClaimOutcome {
  kClaimed,         // the ledger is yours, and was nobody's: initialise it
  kClaimedOfDead,   // the ledger is yours, and its owner died: recover it
  kHeld,            // by a living owner, or somebody was faster
  kHeldByCopy,      // by this process through another copy of this code
  kHeldAlready,     // by this very copy
  kUnknownOwner,    // in another namespace: only a lock that the kernel drops can tell
};
// One of several that claim at once gets it. A ledger whose claim was killed half-way counts as dead as soon as the
// number of the killed process is unused in the namespace of whoever asks.
ClaimOutcome claim_ledger(LedgerHeader& header, const ProcessIdentity& self);
// Without asking who owned it: for whoever knows by other means, like a lock on the segment, that nobody does.
void take_ledger(LedgerHeader& header, const ProcessIdentity& self) noexcept;
// The owner closes in good order. False, and nothing done, when it is not the owner.
bool release_ledger(LedgerHeader& header, const ProcessIdentity& self) noexcept;

// The platform's part (os/linux, os/macos).
enum class ProcessState { kGone, kRuns, kUnclear };
struct ProcessFacts {
  ProcessState state = ProcessState::kUnclear;
  uint64_t started = 0;  // 0 when unclear
};
// A process that is dead but not yet waited for is gone.
ProcessFacts facts_of_process(uint64_t process);
uint64_t own_name_space();
uint64_t boot_identity();

}  // namespace nautilus
