/** What the tests of this service share: a NATS server, instances that are stopped afterwards, and what they publish. */
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { buckets, configSchema, type JobRun, jobFinished, type ScheduleRecord } from '@nautilus/contracts';
import { type Clock, createLogger, type ManualClock } from '@nautilus/kit';
import { test as base, expect, vi } from 'vitest';
import { type RunningMaintenance, startMaintenance } from '../start.ts';

export const waiting = { timeout: 10_000, interval: 20 };
export const pause = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
/** `2026-11-20T02:00`, in UTC. */
export const at = (text: string) => Date.parse(`${text}:00Z`);
const iso = (instant: number) => new Date(instant).toISOString().slice(0, 16);

export class Stage {
  readonly bus: Bus;
  /** What was published of the ends of jobs, in that order. */
  readonly finished: JobRun[] = [];
  readonly #nats: NatsServer;
  readonly #running: RunningMaintenance[] = [];

  private constructor(nats: NatsServer, bus: Bus) {
    this.#nats = nats;
    this.bus = bus;
  }

  static async open(): Promise<Stage> {
    const nats = await startNats({ jetstream: true });
    const bus = await connectBus({ servers: nats.url, name: 'test', reconnectDelayMs: 100 });
    const stage = new Stage(nats, bus);
    await bus.subscribe(jobFinished, {}, (run) => void stage.finished.push(run));
    return stage;
  }

  async close(): Promise<void> {
    for (const each of this.#running.splice(0)) await each.stop();
    await this.bus.close();
    await this.#nats[Symbol.asyncDispose]();
  }

  async start(settings: Record<string, string | number> = {}, clock?: Clock): Promise<RunningMaintenance> {
    const config = configSchema.parse({
      nats: { servers: [this.#nats.url] },
      maintenance: { port: 0, ...settings },
    });
    const log = createLogger({ name: 'test', level: 'silent' });
    const started = await startMaintenance({ config, log, ...(clock === undefined ? {} : { clock }) });
    this.#running.push(started);
    return started;
  }

  async stop(maintenance: RunningMaintenance): Promise<void> {
    this.#running.splice(this.#running.indexOf(maintenance), 1);
    await maintenance.stop();
  }

  /** Slot, trigger and outcome of what was published. */
  outcomes(): readonly string[][] {
    return this.finished.map(({ slot, trigger, outcome }) => [iso(slot), trigger, outcome]);
  }

  async record(host: string): Promise<ScheduleRecord | undefined> {
    return (await (await this.bus.store(buckets.schedule)).get(`clean-up.${host}`))?.value;
  }

  async rememberSlot(host: string, slot: number): Promise<void> {
    const lastRun: JobRun = {
      run: 'earlier',
      job: 'clean-up',
      host,
      slot,
      trigger: 'schedule',
      outcome: 'done',
      reason: null,
      startedAt: slot,
      finishedAt: slot,
      report: null,
    };
    await (await this.bus.store(buckets.schedule)).put(`clean-up.${host}`, {
      lastSlot: slot,
      lastRun,
      endings: [],
      failuresInRow: 0,
    });
  }
}

/** The value of a series, or null where there is none. */
export async function metric(maintenance: RunningMaintenance, series: string): Promise<number | null> {
  const text = await (await fetch(`http://127.0.0.1:${maintenance.port}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

export function leads(maintenance: RunningMaintenance): Promise<void> {
  return vi.waitFor(async () => {
    expect(await metric(maintenance, 'nautilus_memory_leader{service="maintenance"}')).toBe(1);
  }, waiting);
}

/** Moves the clock of the service while something is awaited. */
export async function advanceUntil(
  clock: ManualClock,
  stepMs: number,
  holds: () => void | Promise<void>,
): Promise<void> {
  await vi.waitFor(async () => {
    await clock.advance(stepMs);
    await holds();
  }, waiting);
}

/** Each test has a stage of its own, so that tests that mostly wait can wait at the same time. */
export const it = base.extend<{ stage: Stage }>({
  stage: async ({ task: _ }, use) => {
    const stage = await Stage.open();
    await use(stage);
    await stage.close();
  },
});
