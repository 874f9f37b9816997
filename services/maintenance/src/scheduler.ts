/**
 * Compares the calendar with the ledger for every host that is present, and hands due work to the queue. It looks at
 * the clock at least every 30 s, so that a sleep of the machine or a jump of the clock is noticed.
 */
import type { Bus, Store } from '@nautilus/bus';
import { type JobRun, jobRequested, type Presence, type ScheduleRecord } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import { decideSlots } from './calendar/decide.ts';
import { decideHold } from './calendar/hold.ts';
import type { Calendar, CalendarRules, SkippedSlot } from './calendar/types.ts';
import type { Emergencies } from './emergencies.ts';
import { type Ledger, ledgerKey } from './ledger.ts';

export interface SchedulerParts {
  readonly bus: Pick<Bus, 'publishDurable'>;
  readonly presence: Pick<Store<Presence>, 'keys'>;
  readonly ledger: Ledger;
  /** By job. */
  readonly calendars: ReadonlyMap<string, Calendar>;
  readonly rules: CalendarRules;
  /** For so long a slot that was handed over is expected to be decided; then it is looked at again. */
  readonly patienceMs: number;
  readonly pauseAfter: number;
  readonly emergencies: Pick<Emergencies, 'of' | 'refresh'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly announce: (run: JobRun) => void;
}

const longestPauseMs = 30_000;
const pauseAfterFailureMs = 5_000;

export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #epoch: number;
  /** By ledger key; what is in the queue and not yet in the ledger. */
  readonly #handedOver = new Map<string, { readonly slot: number; readonly until: number }>();

  constructor(parts: SchedulerParts, epoch: number) {
    this.#parts = parts;
    this.#epoch = epoch;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      let pauseMs = pauseAfterFailureMs;
      try {
        const nextAt = await this.check(signal);
        pauseMs =
          nextAt === null ? longestPauseMs : Math.min(longestPauseMs, Math.max(1, nextAt - clock.now()));
      } catch (error) {
        log.warn({ err: error, pauseMs }, 'the calendar could not be checked');
      }
      await clock.sleep(pauseMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  /** One look at the calendar. Returns when there is something to decide next. */
  async check(signal: AbortSignal): Promise<number | null> {
    const { presence, ledger, calendars, emergencies } = this.#parts;
    await emergencies.refresh(signal);
    const [hosts, records] = await Promise.all([presence.keys(), ledger.all()]);
    let nextAt: number | null = null;
    for (const [job, calendar] of calendars) {
      nextAt = earlier(nextAt, calendar.next(this.#parts.clock.now()));
      for (const host of hosts) {
        if (signal.aborted) return null;
        const record = records.get(ledgerKey(job, host)) ?? null;
        nextAt = earlier(nextAt, await this.#checkHost(job, host, calendar, record));
      }
    }
    return nextAt;
  }

  async #checkHost(job: string, host: string, calendar: Calendar, record: ScheduleRecord | null) {
    const { clock, rules, ledger, emergencies, pauseAfter, log } = this.#parts;
    const since = this.#sinceHandedOver(ledgerKey(job, host), record?.lastSlot ?? null);
    const failuresInRow = record?.failuresInRow ?? 0;
    const hold = decideHold({ emergency: emergencies.of(host), failuresInRow, pauseAfter });
    const decision = decideSlots(calendar, since, clock.now(), rules, hold);
    if (decision.waiting !== null) log.info({ job, host, ...decision.waiting }, 'a slot waits');
    if (decision.begin !== null) await ledger.begin(this.#skippedRun(job, host, decision.begin));
    await this.#skip(job, host, decision.skipped);
    if (decision.run !== null) await this.#handOver(job, host, decision.run.slot, decision.run.trigger);
    return decision.nextAt;
  }

  #sinceHandedOver(key: string, lastSlot: number | null): number | null {
    const handed = this.#handedOver.get(key);
    if (handed === undefined) return lastSlot;
    const isOver = (lastSlot ?? 0) >= handed.slot;
    if (!isOver && this.#parts.clock.monotonic() < handed.until) return handed.slot;
    if (!isOver) this.#parts.log.warn({ key, slot: handed.slot }, 'a slot was handed over and never decided');
    this.#handedOver.delete(key);
    return lastSlot;
  }

  async #skip(job: string, host: string, skipped: readonly SkippedSlot[]): Promise<void> {
    const runs = skipped.map((each) => this.#skippedRun(job, host, each));
    const [oldest, ...newer] = runs;
    if (oldest === undefined) return;
    await this.#parts.ledger.decide(oldest, ...newer);
    for (const run of runs) this.#parts.announce(run);
  }

  async #handOver(job: string, host: string, slot: number, trigger: 'schedule' | 'catch-up'): Promise<void> {
    const { bus, clock, log, patienceMs } = this.#parts;
    const run = runId(job, host, slot);
    const order = { run, job, host, slot, trigger, dryRun: false, epoch: this.#epoch };
    const { duplicate } = await bus.publishDurable(jobRequested, { host, topic: job }, order, {
      messageId: run,
    });
    this.#handedOver.set(ledgerKey(job, host), { slot, until: clock.monotonic() + patienceMs });
    log.info({ run, trigger, duplicate }, 'job handed over');
  }

  #skippedRun(job: string, host: string, { slot, reason }: SkippedSlot): JobRun {
    const now = this.#parts.clock.now();
    return {
      run: runId(job, host, slot),
      job,
      host,
      slot,
      trigger: 'schedule',
      outcome: 'skipped',
      reason,
      startedAt: now,
      finishedAt: now,
      report: null,
    };
  }
}

/** The same slot has the same id, also when it is handed over twice: that is how the queue knows it. */
export function runId(job: string, host: string, slot: number): string {
  return `${job}:${host}:${slot}`;
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
