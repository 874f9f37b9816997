/** One host over time: missed samples, alerts under one name, and silence that is the host's and not the monitor's. */
import { describe, expect, it } from 'vitest';
import { type SampleOptions, sampleOf } from '../testing/sample.ts';
import { defaultSettings as settings } from '../testing/settings.ts';
import type { Announcement } from './announcement.ts';
import { type HostWatch, isSilent, passTime, raisedAlerts, takeSample } from './host-watch.ts';

/** One host, a sample a second unless it says otherwise, the monitor's clocks in step with the agent's. */
function host() {
  let watch: HostWatch | undefined;
  const told: Announcement[] = [];
  return {
    told,
    get watch(): HostWatch {
      if (watch === undefined) throw new Error('no sample was taken');
      return watch;
    },
    take(second: number, options: SampleOptions = {}): boolean {
      const sample = sampleOf({ sequence: second, at: second * 1_000, ...options });
      const taken = takeSample(watch, sample, second * 1_000, settings);
      if (taken === null) return false;
      watch = taken.watch;
      told.push(...taken.announcements);
      return true;
    },
    pass(second: number, listeningSince: number | null = 0): void {
      const look = {
        monotonicMs: second * 1_000,
        at: second * 1_000,
        listeningSinceMs: listeningSince === null ? null : listeningSince * 1_000,
      };
      const passed = passTime(this.watch, look, settings);
      watch = passed.watch;
      told.push(...passed.announcements);
    },
    tell: () => told.map(({ body }) => `${body.signal} ${body.scope.name} ${body.state} ${body.tier}`),
  };
}

describe('the samples of a host', () => {
  it('are missed where their numbers jump', () => {
    const h1 = host();
    for (const second of [10, 11, 14, 15]) h1.take(second);
    expect(h1.watch).toMatchObject({ received: 4, missed: 2 });
  });

  it('are numbered anew by a new instance of the agent', () => {
    const h1 = host();
    h1.take(100);
    h1.take(101, { instance: 'agent-2', sequence: 0 });
    h1.take(102, { instance: 'agent-2', sequence: 2 });
    expect(h1.watch).toMatchObject({ received: 3, missed: 1 });
  });

  it('change nothing when they come twice or late', () => {
    const h1 = host();
    h1.take(5);
    expect(h1.take(5, { hostShare: 0.99 })).toBe(false);
    expect(h1.take(4, { hostShare: 0.99 })).toBe(false);
    expect(h1.watch).toMatchObject({ received: 1, missed: 0 });
  });
});

describe('the alerts of a host', () => {
  it('have one id from the raise to the clearing, and a message id for every step', () => {
    const h1 = host();
    h1.take(0, { containerShare: 0.96 });
    for (let second = 1; second <= 11; second += 1) h1.take(second);
    const alert = 'h1:memory-pressure:container:ml-engine:0';
    expect(h1.told.map(({ body, messageId }) => [body.alert, messageId, body.state])).toEqual([
      [alert, `${alert}:1`, 'raised'],
      [alert, `${alert}:2`, 'lowered'],
      [alert, `${alert}:3`, 'lowered'],
      [alert, `${alert}:4`, 'lowered'],
      [alert, `${alert}:5`, 'cleared'],
    ]);
    expect(raisedAlerts(h1.watch)).toEqual([]);
  });

  it('carry what a subscriber needs, the runbook included', () => {
    const h1 = host();
    h1.take(7, { hostShare: 0.96 });
    expect(h1.told[0]?.body).toMatchObject({
      host: 'h1',
      signal: 'memory-pressure',
      scope: { kind: 'host', name: 'h1' },
      state: 'raised',
      tier: 'emergency',
      previousTier: null,
      threshold: 0.95,
      at: 7_000,
      runbook: 'docs/guides/runbooks.md#memory-pressure',
    });
    expect(h1.told[0]?.body.value).toBeCloseTo(0.96);
  });

  it('clear when their scope is no longer there', () => {
    const h1 = host();
    h1.take(0, { containerShare: 1 });
    for (let second = 1; second <= 11; second += 1) h1.take(second, { containerShare: null });
    expect(h1.tell().at(-1)).toBe('memory-pressure ml-engine cleared info');
    expect([...h1.watch.ladders.keys()]).not.toContain('memory-pressure container ml-engine');
  });
});

describe('a silent host', () => {
  it('is told of after five sample intervals, under the name of its last sample', () => {
    const h1 = host();
    h1.take(3);
    h1.pass(7.9);
    expect(h1.told).toEqual([]);
    h1.pass(8);
    expect(h1.told.map(({ body, messageId }) => [messageId, body.tier])).toEqual([
      ['h1:host-silent:host:h1:3000:1', 'critical'],
    ]);
    expect(h1.told[0]?.body.text).toContain('No sample of host h1 for 5s');
    h1.pass(60);
    expect(h1.told).toHaveLength(1);
  });

  it('is told of as back when samples came for the clear hold', () => {
    const h1 = host();
    h1.take(0);
    h1.pass(6);
    for (let second = 7; second <= 18; second += 1) {
      h1.take(second);
      h1.pass(second + 0.5);
    }
    expect(h1.tell()).toEqual(['host-silent h1 raised critical', 'host-silent h1 cleared critical']);
    expect(h1.told[1]?.body.at).toBe(17_500);
  });

  it('is not told of while the monitor itself hears nobody, nor right after', () => {
    const h1 = host();
    h1.take(0);
    h1.pass(100, null);
    h1.pass(104, 100);
    expect(h1.told).toEqual([]);
    h1.pass(105, 100);
    expect(h1.tell()).toEqual(['host-silent h1 raised critical']);
  });

  it('is silent for its series even then: what is not heard is not shown', () => {
    const h1 = host();
    h1.take(0);
    expect(isSilent(h1.watch, 5_000, settings)).toBe(false);
    expect(isSilent(h1.watch, 5_001, settings)).toBe(true);
  });
});
