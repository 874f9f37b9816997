/**
 * What an instance does while it leads: a round for every host at each interval, and at once, but not more than once a
 * second, when news cannot wait. Remembers the last plan of each host for whoever asks why.
 */
import type { Change, Watch } from '@nautilus/bus';
import type { BudgetPlan, ObservedContainer, ObservedHost } from '@nautilus/contracts';
import type { Clock, Ticker } from '@nautilus/kit';
import type { Decisions } from './decisions.ts';
import { urgency } from './plan/attention.ts';
import { type Leadership, planHost, type Round, type RoundParts } from './round.ts';
import type { Telemetry } from './telemetry.ts';

export interface LeaderParts extends Omit<RoundParts, 'clock' | 'newPlanId'> {
  readonly clock: Clock;
  readonly decisions: Decisions;
  readonly telemetry: Telemetry;
  readonly intervalMs: number;
}

const shortestPauseMs = 1_000;

export class Leader {
  /** By host. */
  readonly plans = new Map<string, BudgetPlan>();
  readonly #parts: LeaderParts;
  readonly #leadership: Leadership;
  readonly #round: RoundParts;
  readonly #known = new Set<string>();
  readonly #frozen = new Set<string>();
  #watches: Watch[] = [];
  #ticker: Ticker | null = null;
  #lastRoundAt = Number.NEGATIVE_INFINITY;
  #isAwaited = false;
  #sequence = 0;

  constructor(parts: LeaderParts, leadership: Leadership) {
    this.#parts = parts;
    this.#leadership = leadership;
    this.#round = {
      ...parts,
      newPlanId: (host) => {
        this.#sequence += 1;
        return `${host}-${leadership.epoch}-${this.#sequence}`;
      },
    };
  }

  /** Returns when leadership ends and the round in flight is over. */
  async lead(signal: AbortSignal): Promise<void> {
    const { state, clock, log, intervalMs } = this.#parts;
    const hear = (change: Change<ObservedContainer | ObservedHost>) => this.#hear(change, signal);
    try {
      this.#watches.push(await state.observed.watch('>', hear));
      this.#watches.push(await state.hosts.watch('>', hear));
      const onError = (error: unknown) => log.error({ err: error }, 'a round failed');
      this.#ticker = clock.every(intervalMs, () => this.#planAll(), { signal, onError });
      // From here on news is news; what the watches listed before belongs to the first round.
      this.#ticker.trigger();
      await aborted(signal);
    } finally {
      await this.#ticker?.stop();
      await Promise.all(this.#watches.map((watch) => watch.stop()));
    }
  }

  #hear(change: Change<ObservedContainer | ObservedHost>, signal: AbortSignal): void {
    const { key, value } = change;
    if (value === null) {
      this.#known.delete(key);
      return;
    }
    const refusedBytes = 'refusedBytes' in value ? value.refusedBytes : 0;
    const why = urgency({ key, refusedBytes }, this.#known, this.#frozen);
    this.#known.add(key);
    if (why !== null && this.#ticker !== null) this.#hasten(why, signal);
  }

  #hasten(why: string, signal: AbortSignal): void {
    if (this.#isAwaited) return;
    const { clock, log } = this.#parts;
    const delayMs = Math.max(0, this.#lastRoundAt + shortestPauseMs - clock.monotonic());
    log.debug({ why, delayMs }, 'planning before the interval is over');
    this.#isAwaited = true;
    clock.sleep(delayMs, signal).then(
      () => {
        this.#isAwaited = false;
        this.#ticker?.trigger();
      },
      () => {
        // Leadership ended meanwhile.
        this.#isAwaited = false;
      },
    );
  }

  async #planAll(): Promise<void> {
    const { state, clock, log, decisions } = this.#parts;
    this.#lastRoundAt = clock.monotonic();
    const hosts = [...(await state.hosts.keys())].sort();
    for (const host of hosts) {
      if (!this.#leadership.isLeading()) return;
      try {
        await this.#plan(host);
      } catch (error) {
        log.error({ err: error, host }, 'a host could not be planned; its budgets stay');
      }
    }
    await decisions.flush();
  }

  async #plan(host: string): Promise<void> {
    const { clock, telemetry } = this.#parts;
    const startedAt = clock.monotonic();
    const round = await planHost(this.#round, host, this.#leadership);
    if (round.outcome === 'unknown' || round.outcome === 'lost') return;
    telemetry.planSeconds.observe({}, (clock.monotonic() - startedAt) / 1000);
    telemetry.plans.inc({ outcome: round.outcome });
    if (round.plan !== null) this.#keep(host, round, round.plan);
  }

  #keep(host: string, round: Round, plan: BudgetPlan): void {
    const { telemetry, decisions, log } = this.#parts;
    const wasFrozen = this.#frozen.has(host);
    const isFrozen = plan.frozen !== null;
    this.plans.set(host, plan);
    telemetry.plannedBytes.set({ host }, plan.plannedBytes);
    if (isFrozen) this.#frozen.add(host);
    else this.#frozen.delete(host);
    if (isFrozen && !wasFrozen) log.warn({ host, why: plan.frozen }, 'the budgets of a host are frozen');
    if (!isFrozen && wasFrozen) log.info({ host }, 'a frozen host is planned again');
    // What repeats an earlier decision is no decision.
    if (round.written === 0 && isFrozen === wasFrozen) return;
    decisions.add(plan);
    log.info(
      { host, plan: plan.plan, written: round.written, plannedBytes: plan.plannedBytes, frozen: plan.frozen },
      'plan decided',
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
