/**
 * Years of one host in one time zone: the scheduler, the worker, the runner and the ledger of the service under a
 * simulated clock, with deaths at any write, sleeps, clock jumps, emergencies, and now and then two leaders at once.
 */
import type { Bus } from '@nautilus/bus';
import { type AlertBody, NautilusError, type ScheduleRecord } from '@nautilus/contracts';
import { createLogger, Metrics } from '@nautilus/kit';
import { createCalendar } from '../calendar/cron.ts';
import { Emergencies } from '../emergencies.ts';
import type { Job } from '../jobs/job.ts';
import { Ledger } from '../ledger.ts';
import { Runner } from '../runner.ts';
import { Scheduler } from '../scheduler.ts';
import { createTelemetry } from '../telemetry.ts';
import { maximumDeliveries, work } from '../worker.ts';
import { Audit, type Tally } from './audit.ts';
import { Life, seededRandom, World } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const host = 'h1';
const log = createLogger({ name: 'simulation', level: 'silent' });

/** The daily job has the pattern that is shipped; the rarer ones are there so that their slots meet on one host. */
export const patterns = {
  daily: '0 2 * * *',
  weekly: '0 3 * * 0',
  monthly: '0 4 1 * *',
  quarterly: '0 5 1 1,4,7,10 *',
} as const;

export interface Simulated {
  readonly zone: string;
  readonly jobs: Readonly<Record<string, Tally>>;
  readonly faults: { kills: number; sleeps: number; jumps: number; emergencies: number; twoLeaders: number };
  /** Work done again because a death came between it and the ledger: what "at least once" means. */
  readonly repeated: number;
  /** Work begun for a slot that the ledger had as ended, and work begun in an emergency: never. */
  readonly wrong: { afterItsEnd: number; inEmergency: number };
}

export async function simulate(zone: string, years: number, seed: number): Promise<Simulated> {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + random() * (high - low);
  const audits = new Map(Object.keys(patterns).map((job) => [job, new Audit()]));
  const auditOf = (key: string) => audits.get(key.split('.')[0] ?? '');
  const onWrite = (key: string, record: ScheduleRecord) => auditOf(key)?.take(record);
  const startAt = Date.parse('2026-01-01T00:00:00Z') + between(0, 30 * day);
  const world = new World(Math.floor(startAt), random, onWrite);
  const { clock } = world;
  const calendars = new Map(
    Object.entries(patterns).map(([job, pattern]) => [job, createCalendar(pattern, zone, job)]),
  );
  const faults = { kills: 0, sleeps: 0, jumps: 0, emergencies: 0, twoLeaders: 0 };
  const wrong = { afterItsEnd: 0, inEmergency: 0 };
  const worked = new Map<string, number>();
  let isFaulty = true;
  let emergencyEndsAt = 0;
  let leaders: ReturnType<typeof start>[] = [];
  let epoch = 0;

  function beginEmergency(): void {
    faults.emergencies += 1;
    emergencyEndsAt = clock.monotonic() + between(minute, 20 * hour);
    world.alert = alertAt(clock.now(), faults.emergencies);
    for (const leader of leaders) leader.emergencies.take(world.alert);
  }

  function start() {
    const life = new Life(() => (isFaulty ? random() : 1), 0.02);
    const request = (async () => ({ alerts: world.alert === null ? [] : [world.alert] })) as unknown;
    const bus = { request, publish: () => undefined, subscribe: async () => undefined } as unknown as Bus;
    const emergencies = new Emergencies({ bus, clock, log });
    const ledger = new Ledger(world.ledgerStore(life) as ConstructorParameters<typeof Ledger>[0]);
    const job: Job = {
      summary: '',
      scheduleKey: '',
      schedule: () => '',
      run: async ({ signal }) => {
        life.mayDie();
        if (world.alert !== null) wrong.inEmergency += 1;
        clock.pass(between(100, 5 * minute));
        if (isFaulty && random() < 0.03) beginEmergency();
        signal.throwIfAborted();
        clock.pass(between(100, 5 * minute));
        const luck = random();
        if (luck < 0.1) throw new NautilusError({ code: 'unavailable', message: 'no agent answers' });
        if (luck < 0.15) throw new NautilusError({ code: 'internal', message: 'the job failed' });
        return { reclaimedBytes: null, report: {} };
      },
    };
    const jobs = Object.fromEntries(Object.keys(patterns).map((name) => [name, job]));
    const telemetry = createTelemetry(new Metrics());
    const runner = new Runner({ bus, jobs, clock, log, telemetry, deadlineMs: 5 * minute, emergencies });
    const scheduler = new Scheduler(
      {
        bus: { publishDurable: world.publishDurable(life) },
        presence: { keys: async () => [host] },
        ledger,
        calendars,
        rules: { catchUpMs: 12 * hour, graceMs: minute },
        pauseAfter: 5,
        emergencies,
        patienceMs: (maximumDeliveries + 1) * 5 * minute,
        clock,
        log,
        announce: () => undefined,
      },
      ++epoch,
    );
    return { life, scheduler, ledger, runner, emergencies };
  }

  async function look(): Promise<number> {
    if (leaders.length === 0) leaders = [start()];
    let nextAt = clock.now() + hour;
    for (const { scheduler } of leaders) {
      const at = await scheduler.check(new AbortController().signal).catch(() => null);
      if (at !== null) nextAt = Math.min(nextAt, at);
    }
    await world.deliver(maximumDeliveries, async (order, info) => {
      const leader = leaders[Math.floor(random() * leaders.length)];
      if (leader === undefined || !leader.life.isAlive) throw new Error('nobody is there');
      const attempt = leader.runner.attempt.bind(leader.runner);
      const watched = {
        announce: () => undefined,
        attempt: async (...given: Parameters<typeof attempt>) => {
          if (auditOf(order.job)?.hasEnded(order.slot)) wrong.afterItsEnd += 1;
          const result = await attempt(...given);
          if (result.run.outcome === 'done') worked.set(order.run, (worked.get(order.run) ?? 0) + 1);
          return result;
        },
      };
      await work({ ...leader, runner: watched as unknown as Runner, clock, log }, order, info);
    });
    const dead = leaders.filter(({ life }) => !life.isAlive).length;
    faults.kills += dead;
    leaders = leaders.filter(({ life }) => life.isAlive);
    if (dead > 0) clock.pass(between(1_000, random() < 0.1 ? 3 * day : 10 * minute));
    return nextAt;
  }

  function disturb(): void {
    const luck = random();
    if (luck < 0.02) {
      faults.sleeps += 1;
      clock.jump(Math.floor(between(minute, random() < 0.02 ? 150 * day : 40 * hour)));
    } else if (luck < 0.04) {
      faults.jumps += 1;
      clock.jump(Math.floor(between(-20 * hour, 20 * hour)));
    } else if (luck < 0.045 && world.alert === null) beginEmergency();
    else if (luck < 0.06 && leaders.length === 1) {
      faults.twoLeaders += 1;
      leaders.push(start());
    } else if (luck < 0.1 && leaders.length > 1) leaders.shift();
  }

  const endAt = startAt + years * 365.25 * day;
  for (let settled = 0; settled < 3 * day; ) {
    if (clock.now() >= endAt) isFaulty = false;
    if (isFaulty) disturb();
    if (world.alert !== null && clock.monotonic() >= emergencyEndsAt) world.alert = null;
    const nextAt = await look();
    // Nothing can be decided before, except what waits in the queue or for the end of an emergency.
    const pauseMs = world.hasPending ? 30_000 : Math.min(Math.max(1, nextAt - clock.now()), 6 * hour);
    clock.pass(Math.ceil(random() < 0.2 ? Math.min(30_000, pauseMs) : pauseMs));
    if (!isFaulty) settled += pauseMs;
  }
  const jobs = Object.fromEntries(
    [...audits].map(([job, audit]) => {
      const calendar = calendars.get(job);
      if (calendar === undefined) throw new Error(`no calendar of ${job}`);
      return [job, audit.tally(calendar, clock.now(), job === 'daily' ? zone : null)];
    }),
  );
  const repeated = [...worked.values()].reduce((sum, times) => sum + times - 1, 0);
  return { zone, jobs, faults, repeated, wrong };
}

function alertAt(at: number, number: number): AlertBody {
  const scope = { kind: 'host', name: host } as const;
  const step = { state: 'raised', tier: 'emergency', previousTier: null, value: 1, threshold: 0.95 } as const;
  const words = { text: 'the host is full', runbook: 'emergency' };
  return { alert: `a${number}`, host, signal: 'memory-pressure', scope, ...step, at, ...words };
}
