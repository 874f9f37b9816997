/** An agent that sends what a test wants to be true. */
import type { Bus } from '@nautilus/bus';
import { sampleTaken } from '@nautilus/contracts';
import { type SampleOptions, sampleOf } from './sample.ts';

export interface FakeAgent {
  /** `count` samples of the same state, one interval apart on the agent's own clock. */
  send(count: number, options?: SampleOptions): Promise<void>;
}

export function fakeAgent(bus: Bus, host: string, intervalMs: number): FakeAgent {
  let sequence = 0;
  let at = Date.now();
  return {
    async send(count, options = {}) {
      for (let index = 0; index < count; index += 1) {
        bus.publish(sampleTaken, { host }, sampleOf({ host, sequence, at, ...options }));
        sequence += 1;
        at += intervalMs;
      }
      await bus.flush();
    },
  };
}
