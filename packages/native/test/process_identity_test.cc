// Who owns a ledger: itself, another copy, a living process, a dead one, one whose number was used again.
#include "os/process_identity.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/harness.h"

using namespace nautilus;

namespace {

// Shared with forked processes.
struct SharedHeader {
  SharedHeader()
      : header(static_cast<LedgerHeader*>(
            ::mmap(nullptr, 2 * sizeof(LedgerHeader), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0))) {
    EXPECT(header != MAP_FAILED);
  }
  ~SharedHeader() { ::munmap(header, 2 * sizeof(LedgerHeader)); }
  SharedHeader(const SharedHeader&) = delete;
  SharedHeader& operator=(const SharedHeader&) = delete;
  uint32_t& counter() { return *reinterpret_cast<uint32_t*>(header + 1); }

  LedgerHeader* header;
};

pid_t start(auto body) {
  const pid_t child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    body();
    ::_exit(0);
  }
  return child;
}

int end_of(pid_t child) {
  int status = 0;
  EXPECT(::waitpid(child, &status, 0) == child);
  return status;
}

void wait_until(const SharedHeader& shared, OwnerState state) {
  for (int at = 0; at < 10000 && owner_state(*shared.header, own_identity()) != state; ++at) ::usleep(1000);
  EXPECT(owner_state(*shared.header, own_identity()) == state);
}

}  // namespace

TEST("identity: a process knows itself, and a fork is another") {
  const ProcessIdentity self = own_identity();
  EXPECT_EQUAL(self.process, static_cast<uint64_t>(::getpid()));
  EXPECT(self.started != 0 && self.name_space != 0 && self.boot != 0 && self.nonce != 0);
  EXPECT(facts_of_process(self.process).state == ProcessState::kRuns);
  EXPECT_EQUAL(own_identity().started, self.started);
  EXPECT_EQUAL(end_of(start([&] { ::_exit(own_identity().process == self.process ? 1 : 0); })), 0);
}

TEST("identity: claim, claim again, close in good order") {
  SharedHeader shared;
  ProcessIdentity self = own_identity();
  EXPECT(owner_state(*shared.header, self) == OwnerState::kClosed);
  EXPECT(claim_ledger(*shared.header, self) == ClaimOutcome::kClaimed);
  EXPECT(claim_ledger(*shared.header, self) == ClaimOutcome::kHeldAlready);
  ProcessIdentity copy = self;
  copy.nonce += 2;
  EXPECT(claim_ledger(*shared.header, copy) == ClaimOutcome::kHeldByCopy);
  EXPECT(!release_ledger(*shared.header, copy));
  EXPECT(release_ledger(*shared.header, self));
  EXPECT(!release_ledger(*shared.header, self));
  EXPECT(claim_ledger(*shared.header, copy) == ClaimOutcome::kClaimed);
}

TEST("identity: held while the owner lives, also from its fork; dead as soon as it is killed, waited for or not") {
  SharedHeader shared;
  const pid_t owner = start([&] {
    if (claim_ledger(*shared.header, own_identity()) != ClaimOutcome::kClaimed) ::_exit(1);
    for (;;) ::pause();
  });
  wait_until(shared, OwnerState::kAlive);
  EXPECT(claim_ledger(*shared.header, own_identity()) == ClaimOutcome::kHeld);
  EXPECT(!release_ledger(*shared.header, own_identity()));
  ::kill(owner, SIGKILL);
  wait_until(shared, OwnerState::kDead);
  end_of(owner);
  EXPECT(owner_state(*shared.header, own_identity()) == OwnerState::kDead);
  EXPECT(claim_ledger(*shared.header, own_identity()) == ClaimOutcome::kClaimedOfDead);
  EXPECT(owner_state(*shared.header, own_identity()) == OwnerState::kSelf);
  EXPECT_EQUAL(end_of(start([&] {
                 ::_exit(claim_ledger(*shared.header, own_identity()) == ClaimOutcome::kHeld ? 0 : 1);
               })),
               0);
}

TEST("identity: a number that was used again is not the owner; another boot is dead, another namespace unknown") {
  SharedHeader shared;
  const ProcessIdentity self = own_identity();
  const pid_t other = start([] {
    for (;;) ::pause();
  });
  OwnerRecord& owner = shared.header->owner;
  const uint64_t process = static_cast<uint64_t>(other);
  owner = {process, facts_of_process(process).started, self.name_space, self.boot, 5};
  EXPECT(owner_state(*shared.header, self) == OwnerState::kAlive);
  ++owner.started;
  EXPECT(owner_state(*shared.header, self) == OwnerState::kDead);
  --owner.started;
  ++owner.boot;
  EXPECT(owner_state(*shared.header, self) == OwnerState::kDead);
  --owner.boot;
  ++owner.name_space;
  EXPECT(owner_state(*shared.header, self) == OwnerState::kUnknown);
  EXPECT(claim_ledger(*shared.header, self) == ClaimOutcome::kUnknownOwner);
  EXPECT_EQUAL(owner.process, process);
  take_ledger(*shared.header, self);
  EXPECT(owner_state(*shared.header, self) == OwnerState::kSelf);
  // This process's own number, from an earlier life of it.
  owner.started = self.started - 1;
  EXPECT(owner_state(*shared.header, self) == OwnerState::kDead);
  ::kill(other, SIGKILL);
  end_of(other);
}

TEST("identity: a claim that was killed half-way is held while its process lives and dead after") {
  SharedHeader shared;
  const pid_t other = start([] {
    for (;;) ::pause();
  });
  shared.header->owner.process = uint64_t{1} << 63 | static_cast<uint64_t>(other);
  EXPECT(claim_ledger(*shared.header, own_identity()) == ClaimOutcome::kHeld);
  ::kill(other, SIGKILL);
  end_of(other);
  EXPECT(claim_ledger(*shared.header, own_identity()) == ClaimOutcome::kClaimedOfDead);
}

TEST("identity: of many that claim a dead owner's ledger at once, one gets it") {
  for (int round = 0; round < 30; ++round) {
    SharedHeader shared;
    const ProcessIdentity self = own_identity();
    shared.header->owner = {self.process, self.started + 1, self.name_space, self.boot, 5};
    pid_t children[6];
    for (pid_t& child : children) {
      child = start([&] {
        const ProcessIdentity mine = own_identity();
        add_32(shared.counter());
        while (load_acquire(shared.counter()) < 6) {
        }
        const bool is_mine = claim_ledger(*shared.header, mine) == ClaimOutcome::kClaimedOfDead;
        add_32(shared.counter());
        // All live until all have claimed.
        while (load_acquire(shared.counter()) < 12) ::usleep(100);
        ::_exit(is_mine ? 1 : 0);
      });
    }
    int winners = 0;
    for (const pid_t child : children) winners += WEXITSTATUS(end_of(child));
    EXPECT_EQUAL(winners, 1);
  }
}

TEST("identity: whatever an owner's record holds, the answer comes and claims stay consistent") {
  SharedHeader shared;
  const ProcessIdentity self = own_identity();
  const uint64_t values[] = {0, 1, UINT64_MAX, uint64_t{1} << 63, self.process, self.boot, self.name_space, self.started};
  for (const uint64_t process : values) {
    for (const uint64_t started : values) {
      for (const uint64_t boot : values) {
        shared.header->owner = {process, started, self.name_space, boot, 5};
        const OwnerState state = owner_state(*shared.header, self);
        const ClaimOutcome claimed = claim_ledger(*shared.header, self);
        const bool is_ours = claimed == ClaimOutcome::kClaimed || claimed == ClaimOutcome::kClaimedOfDead;
        EXPECT_EQUAL(is_ours, state == OwnerState::kClosed || state == OwnerState::kDead);
        EXPECT_EQUAL(is_ours, owner_state(*shared.header, self) == OwnerState::kSelf);
      }
    }
  }
}
