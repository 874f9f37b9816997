/**
 * The surroundings of a simulated maintenance service: a clock that only moves when told, a ledger bucket and a work
 * queue in memory, and processes that die before or after any of their writes. What decides is the service's own code.
 */
import type { Bus, JobInfo, Store, Stored } from '@nautilus/bus';
import {
  type AlertBody,
  fail,
  type JobRequest,
  NautilusError,
  ok,
  type ScheduleRecord,
} from '@nautilus/contracts';
import type { Clock } from '@nautilus/kit';

/** Uniform in 0–1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Wall and monotonic time apart: a sleep of the machine and a jump move the wall alone. */
export class SimulatedClock implements Clock {
  #wall: number;
  #monotonic = 0;

  constructor(startAt: number) {
    this.#wall = startAt;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  pass(durationMs: number): void {
    this.#wall += durationMs;
    this.#monotonic += durationMs;
  }

  jump(byMs: number): void {
    this.#wall += byMs;
  }

  async sleep(delayMs: number): Promise<void> {
    this.pass(delayMs);
  }

  every(): never {
    throw new Error('the simulation has no tickers');
  }
}

/** One life of the service. After its death none of its writes takes effect. */
export class Life {
  isAlive = true;
  readonly #random: () => number;
  readonly #deathShare: number;

  constructor(random: () => number, deathShare: number) {
    this.#random = random;
    this.#deathShare = deathShare;
  }

  /** Does a write, or dies before it, or dies after it without having heard of it. */
  write<Value>(effect: () => Value): Value {
    this.mayDie();
    const value = effect();
    this.mayDie();
    return value;
  }

  mayDie(): void {
    if (this.isAlive && this.#random() < this.#deathShare) this.isAlive = false;
    if (!this.isAlive)
      throw new NautilusError({ code: 'cancelled', message: 'the simulated process is dead' });
  }
}

type Pending = { readonly order: JobRequest; deliveries: number };

export class World {
  readonly clock: SimulatedClock;
  readonly random: () => number;
  readonly records = new Map<string, Stored<ScheduleRecord>>();
  alert: AlertBody | null = null;
  #pending: Pending[] = [];
  /** Monotonic instant by message id: what the server has seen in the last two minutes. */
  readonly #seen = new Map<string, number>();
  readonly #onWrite: (key: string, record: ScheduleRecord) => void;

  constructor(startAt: number, random: () => number, onWrite: (key: string, record: ScheduleRecord) => void) {
    this.clock = new SimulatedClock(startAt);
    this.random = random;
    this.#onWrite = onWrite;
  }

  /** The bucket as one life sees it; now and then someone else is said to have been faster. */
  ledgerStore(life: Life): Pick<Store<ScheduleRecord>, 'get' | 'create' | 'update' | 'snapshot'> {
    const { records } = this;
    const write = (key: string, value: ScheduleRecord, expected: number) =>
      life.write(() => {
        const revision = records.get(key)?.revision ?? 0;
        if (revision !== expected || this.random() < 0.01) return fail('conflict', 'someone was faster');
        records.set(key, { value: structuredClone(value), revision: revision + 1 });
        this.#onWrite(key, value);
        return ok(revision + 1);
      });
    return {
      get: async (key) => records.get(key) ?? null,
      snapshot: async () => new Map(records),
      create: async (key, value) => write(key, value, 0),
      update: async (key, value, revision) => write(key, value, revision),
    };
  }

  publishDurable(life: Life): Bus['publishDurable'] {
    return (async (_notice: unknown, _at: unknown, order: JobRequest, { messageId }: { messageId: string }) =>
      life.write(() => {
        const now = this.clock.monotonic();
        const duplicate = now - (this.#seen.get(messageId) ?? Number.NEGATIVE_INFINITY) < 120_000;
        this.#seen.set(messageId, now);
        if (!duplicate) this.#pending.push({ order, deliveries: 0 });
        return { duplicate };
      })) as unknown as Bus['publishDurable'];
  }

  /** Hands every order over, now and then twice; what is thrown is delivered again, `most` times altogether. */
  async deliver(most: number, worker: (order: JobRequest, info: JobInfo) => Promise<void>): Promise<void> {
    for (const each of [...this.#pending]) {
      each.deliveries += 1;
      const info: JobInfo = {
        subject: '',
        host: each.order.host,
        topic: each.order.job,
        delivery: each.deliveries,
        working: () => undefined,
        signal: new AbortController().signal,
      };
      const isDone = await worker(each.order, info).then(
        () => this.random() >= 0.02,
        () => false,
      );
      if (isDone || each.deliveries >= most) this.#pending = this.#pending.filter((other) => other !== each);
    }
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }
}
