/**
 * What the conformance suite needs of whatever stands behind a runtime: containers whose memory can be filled, and the
 * limit as the kernel states it, read past the runtime.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteLimit, Runtime, Timing } from '../runtime.ts';

export interface BenchContainer {
  readonly id: string;
  /** Fills this many more bytes with anonymous memory, and returns when they are charged. */
  anon(bytes: number): Promise<void>;
  /** Reads this many bytes of files into the page cache. */
  cache(bytes: number): Promise<void>;
  isAlive(): boolean;
  /** Ends its processes and removes it. */
  remove(): Promise<void>;
}

export interface Bench {
  readonly name: string;
  readonly runtime: Runtime;
  /** Promises that cannot be asked of it, with the reason. */
  readonly cannot: Partial<Record<Ability, string>>;
  start(id: string): Promise<BenchContainer>;
  /** Null where there is no such thing. */
  kernelLimit(id: string): ByteLimit | null;
  close(): Promise<void>;
}

export type Ability = 'limit' | 'reclaim' | 'page cache' | 'pressure' | 'same id again';

export const realTiming: Timing = {
  monotonic: () => performance.now(),
  sleep: async (delayMs, signal) => {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  },
};
