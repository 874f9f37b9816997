/**
 * A host, its buckets, its agent and its leaders in one process, driven by chance alone: writes fail or come late,
 * leaders die between two writes or wake up after another took over, reports are old. No agent rule protects the sum
 * here, so what holds is the planner's doing.
 */
import type { DesiredBudget, ObservedKernel, RememberedContainer } from '@nautilus/contracts';
import { standingOf } from '../plan/ceiling.ts';
import { decidePlan } from '../plan/decide.ts';
import { granuleBytes } from '../plan/granule.ts';
import type { ContainerState, HostSnapshot, PlanPolicy } from '../plan/types.ts';
import { type Write, writesFor } from '../plan/writes.ts';
import { lookAgain, type Quiet } from '../quiet.ts';

/** A generator of 32 bits of state (mulberry32): the same seed is the same history. */
export function chanceFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Live {
  readonly spec: ContainerState['spec'];
  readonly hasKernel: boolean;
  limitBytes: number;
  usedBytes: number;
  highWaterBytes: number;
  oomKills: number;
  lastLimit: ObservedKernel['lastLimit'];
  reported: ContainerState | null;
}

interface Order {
  readonly container: string;
  readonly value: DesiredBudget;
  readonly dueAt: number;
}

interface Leader {
  readonly epoch: number;
  readonly memory: Map<string, RememberedContainer>;
  quiet: Quiet | null;
  /** Writes that it was about to make when it was stopped. */
  pending: readonly Write[];
}

export interface Tally {
  steps: number;
  plans: number;
  applied: number;
  refused: number;
  crashes: number;
  lateWrites: number;
  oomKills: number;
}

export class HostLoop {
  readonly tally: Tally = {
    steps: 0,
    plans: 0,
    applied: 0,
    refused: 0,
    crashes: 0,
    lateWrites: 0,
    oomKills: 0,
  };
  readonly capacityBytes: number;
  readonly live = new Map<string, Live>();
  readonly #chance: () => number;
  readonly #policy: PlanPolicy;
  readonly #stored = new Map<string, { value: DesiredBudget; revision: number }>();
  readonly #checkpoints = new Map<string, RememberedContainer>();
  readonly #orders: Order[] = [];
  #leader: Leader;
  #stopped: Leader | null = null;
  #revision = 0;
  #reportedAt = 0;
  #lookedAt = 0;
  #now = 1_800_000_000_000;

  constructor(seed: number, policy: PlanPolicy) {
    this.#chance = chanceFrom(seed);
    this.#policy = policy;
    let minimums = 0;
    const count = 3 + this.#below(5);
    for (let index = 0; index < count; index += 1) {
      const minimumBytes = this.#below(64) * granuleBytes;
      const maximumBytes = minimumBytes + (1 + this.#below(1_000)) * granuleBytes;
      minimums += minimumBytes;
      this.live.set(`c${index}`, {
        spec: {
          minimumBytes,
          maximumBytes,
          priority: this.#one(['critical', 'high', 'normal', 'low', 'maintenance'] as const),
          policy: this.#one(['guaranteed', 'burstable', 'adaptive'] as const),
          resize: this.#one(['any-time', 'any-time', 'grow-only', 'at-start'] as const),
          scale: null,
        },
        hasKernel: this.#chance() < 0.8,
        limitBytes: minimumBytes,
        usedBytes: 0,
        highWaterBytes: 0,
        oomKills: 0,
        lastLimit: null,
        reported: null,
      });
    }
    this.capacityBytes = minimums + this.#below(2_000) * granuleBytes;
    this.#leader = { epoch: 1, memory: new Map(), quiet: null, pending: [] };
    this.#report();
  }

  get sumBytes(): number {
    let sum = 0;
    for (const { limitBytes } of this.live.values()) sum += limitBytes;
    return sum;
  }

  step(): void {
    this.tally.steps += 1;
    this.#now += this.#chance() < 0.01 ? 60_000 : 1 + this.#below(5_000);
    this.#use();
    this.#obey();
    if (this.#chance() < 0.6) this.#report();
    if (this.#chance() < 0.5) this.#plan();
    if (this.#chance() < 0.05) this.#wake();
  }

  #use(): void {
    for (const each of this.live.values()) {
      const wished =
        this.#chance() < 0.05
          ? this.#chance() * each.spec.maximumBytes
          : each.usedBytes * (0.9 + 0.2 * this.#chance());
      if (each.hasKernel && wished > each.limitBytes && this.#chance() < 0.2) {
        each.oomKills += 1;
        this.tally.oomKills += 1;
        each.usedBytes = 0;
        continue;
      }
      each.usedBytes = Math.floor(Math.min(wished, each.limitBytes));
      each.highWaterBytes = Math.max(each.highWaterBytes, each.usedBytes);
    }
  }

  /** Each container's budgets arrive in their order; between containers anything goes. */
  #obey(): void {
    for (let index = 0; index < this.#orders.length; ) {
      const order = this.#orders[index];
      if (order === undefined) return;
      const isFirst = this.#orders.findIndex(({ container }) => container === order.container) === index;
      if (!isFirst || order.dueAt > this.#now) {
        index += 1;
        continue;
      }
      this.#orders.splice(index, 1);
      this.#apply(order);
    }
  }

  #apply({ container, value }: Order): void {
    const each = this.live.get(container);
    if (each === undefined) return;
    const fails = this.#chance() < 0.1;
    const hurts = value.budgetBytes < each.usedBytes * 1.02 && value.budgetBytes < each.limitBytes;
    if (fails || hurts) {
      this.tally.refused += 1;
      each.lastLimit = { outcome: hurts ? 'refused' : 'timed-out', reason: 'by chance', at: this.#now };
      return;
    }
    this.tally.applied += 1;
    each.limitBytes = value.budgetBytes;
    each.lastLimit = { outcome: 'applied', reason: '', at: this.#now };
  }

  #report(): void {
    this.#reportedAt = this.#now;
    for (const [name, each] of this.live) {
      if (this.#chance() < 0.1 && each.reported !== null) continue;
      // A restarted agent has the minimum in its accounts while the kernel still has the old limit.
      const isForgetful = each.hasKernel && this.#chance() < 0.02;
      each.reported = {
        name,
        spec: each.spec,
        leasedBytes: each.hasKernel ? 0 : each.usedBytes,
        liveBytes: 0,
        highWaterBytes: each.hasKernel ? 0 : each.highWaterBytes,
        refusedBytes: this.#chance() < 0.1 ? this.#below(64) * granuleBytes : 0,
        budgetBytes: isForgetful ? each.spec.minimumBytes : each.limitBytes,
        connected: true,
        at: this.#now,
        desired: null,
        kernel: each.hasKernel ? this.#kernelOf(each) : undefined,
      };
    }
  }

  #kernelOf(each: Live): ObservedKernel {
    return {
      runtime: 'fake',
      incarnation: 'one',
      usageBytes: each.usedBytes,
      workingSetBytes: each.usedBytes,
      anonBytes: null,
      fileBytes: null,
      swapBytes: null,
      limitBytes: each.limitBytes,
      hasNoLimit: false,
      oomKills: each.oomKills,
      highEvents: null,
      maxEvents: null,
      psiSomeTotalUs: null,
      psiFullTotalUs: null,
      startedAt: null,
      restarts: null,
      missing: {},
      peakWorkingSetBytes: each.usedBytes,
      lastLimit: each.lastLimit,
    };
  }

  #plan(): void {
    const leader = this.#leader;
    leader.quiet = lookAgain(leader.quiet, this.#reportedAt, this.#stored.size > 0);
    const snapshot: HostSnapshot = {
      host: 'h1',
      grantableBytes: this.capacityBytes,
      lingeringBytes: 0,
      at: this.#reportedAt,
      quiet: leader.quiet.looksLeft > 0,
      containers: [...this.live].flatMap(([name, { reported }]) =>
        reported === null
          ? []
          : [
              {
                ...reported,
                desired: this.#stored.get(name)?.value ?? null,
                remembered: leader.memory.get(name),
              },
            ],
      ),
    };
    this.#lookedAt = this.#now;
    const { plan, remembered } = decidePlan(snapshot, this.#policy, this.#now);
    this.tally.plans += 1;
    if (plan.frozen !== null) return;
    const standings = new Map(snapshot.containers.map((each) => [each.name, standingOf(each)]));
    const decision = { plan: 'p', epoch: leader.epoch, decidedAt: this.#lookedAt };
    const writes = writesFor(plan.budgets, this.#stored, decision, standings);
    for (const [index, write] of writes.entries()) {
      if (this.#chance() < 0.02) {
        this.#stopped = { ...leader, pending: writes.slice(index) };
        this.#succeed();
        return;
      }
      if (!this.#write(write)) return;
    }
    for (const [name, value] of remembered) leader.memory.set(name, value);
    for (const [name, value] of remembered) this.#checkpoints.set(name, value);
  }

  #succeed(): void {
    this.tally.crashes += 1;
    // Sometimes even the checkpoints are lost.
    const memory = this.#chance() < 0.2 ? new Map<string, RememberedContainer>() : new Map(this.#checkpoints);
    this.#leader = { epoch: this.#leader.epoch + 1, memory, quiet: null, pending: [] };
  }

  /** The leader that was stopped goes on where it was, not knowing that another leads. */
  #wake(): void {
    const { pending } = this.#stopped ?? { pending: [] };
    this.#stopped = null;
    for (const write of pending) {
      if (!this.#write(write)) return;
      this.tally.lateWrites += 1;
    }
  }

  #write({ container, revision, value }: Write): boolean {
    const found = this.#stored.get(container)?.revision ?? null;
    if (found !== revision || this.#chance() < 0.02) return false;
    this.#revision += 1;
    this.#stored.set(container, { value, revision: this.#revision });
    this.#orders.push({ container, value, dueAt: this.#now + this.#below(20_000) });
    return true;
  }

  #below(limit: number): number {
    return Math.floor(this.#chance() * limit);
  }

  #one<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }
}
