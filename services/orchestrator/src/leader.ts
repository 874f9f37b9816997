/**
 * What an instance does while it leads: a round for every host at each interval, and at once, but not more than once a
 * second, when news cannot wait. Remembers the last plan of each host for whoever asks why.
 */
import type { Change, Watch } from '@nautilus/bus';
import type {
  BudgetPlan,
  ContainerChanged,
  LimitWrite,
  ObservedContainer,
  ObservedHost,
} from '@nautilus/contracts';
import type { Clock, Ticker } from '@nautilus/kit';
import type { Decisions } from './decisions.ts';
import type { Heard } from './heard.ts';
import { Memory } from './memory.ts';
import { hostOf, urgency } from './plan/attention.ts';
import { type Leadership, planHost, type Round, type RoundParts } from './round.ts';
import type { Telemetry } from './telemetry.ts';

export interface LeaderParts extends Omit<RoundParts, 'clock' | 'newPlanId' | 'memory'> {
  readonly clock: Clock;
  readonly decisions: Decisions;
  readonly heard: Heard;
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
  readonly #memory: Memory;
  /** Hosts with increases that wait until decreases are reported. */
  readonly #held = new Set<string>();
  #watches: Watch[] = [];
  #ticker: Ticker | null = null;
  #lastRoundAt = Number.NEGATIVE_INFINITY;
  #isAwaited = false;
  #sequence = 0;

  constructor(parts: LeaderParts, leadership: Leadership) {
    this.#parts = parts;
    this.#leadership = leadership;
    this.#memory = new Memory(parts.state.remembered);
    this.#round = {
      ...parts,
      memory: this.#memory,
      newPlanId: (host) => {
        this.#sequence += 1;
        return `${host}-${leadership.epoch}-${this.#sequence}`;
      },
    };
  }

  /** Returns when leadership ends and the round in flight is over. */
  async lead(signal: AbortSignal): Promise<void> {
    const { state, clock, log, heard, intervalMs } = this.#parts;
    const hear = (change: Change<ObservedContainer | ObservedHost>) => this.#hear(change, signal);
    try {
      this.#watches.push(await state.observed.watch('>', hear));
      this.#watches.push(await state.hosts.watch('>', hear));
      const onError = (error: unknown) => log.error({ err: error }, 'a round failed');
      this.#ticker = clock.every(intervalMs, () => this.#planAll(), { signal, onError });
      heard.onChange = (host, change) => this.#changed(host, change, signal);
      heard.onWrite = (host, write) => this.#answered(host, write, signal);
      // From here on news is news; what the watches listed before belongs to the first round.
      this.#ticker.trigger();
      await aborted(signal);
    } finally {
      heard.onChange = null;
      heard.onWrite = null;
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
    const why = urgency({ key, refusedBytes }, this.#known, this.#frozen) ?? this.#waitsFor(key);
    this.#known.add(key);
    if (why !== null && this.#ticker !== null) this.#hasten(why, signal);
  }

  /** While a host is quiet, and while an increase waits for a decrease, each report may be what is waited for. */
  #waitsFor(key: string): string | null {
    const host = hostOf(key);
    if (key === host && this.#memory.isQuiet(host)) return `${host} was looked at too few times`;
    return key !== host && this.#held.has(host) ? `increases on ${host} wait for ${key}` : null;
  }

  async #changed(host: string, change: ContainerChanged, signal: AbortSignal): Promise<void> {
    await this.#memory.tell(host, change);
    this.#hasten(`${change.container} on ${host} ${change.change}`, signal);
  }

  /** A write that failed is an outcome that the next plan must know of at once. */
  #answered(host: string, { container, outcome }: LimitWrite, signal: AbortSignal): void {
    if (outcome !== 'applied') this.#hasten(`the limit of ${container} on ${host} is ${outcome}`, signal);
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
    if (round.refused !== null) this.#refuse(host, round.refused);
    if (round.outcome === 'unknown' || round.outcome === 'lost') return;
    telemetry.planSeconds.observe({}, (clock.monotonic() - startedAt) / 1000);
    telemetry.plans.inc({ outcome: round.outcome });
    if (round.plan !== null) this.#keep(host, round, round.plan);
  }

  #refuse(host: string, reason: string): void {
    const at = this.#parts.clock.now();
    this.#sequence += 1;
    const id = `${host}-${this.#leadership.epoch}-refused-${this.#sequence}`;
    this.#parts.decisions.refuse(id, { at, host, container: null, what: 'plan', reason });
  }

  #keep(host: string, round: Round, plan: BudgetPlan): void {
    const { telemetry, decisions, log } = this.#parts;
    const wasFrozen = this.#frozen.has(host);
    const isFrozen = plan.frozen !== null;
    const before = this.plans.get(host);
    this.plans.set(host, plan);
    if (round.isHeld) this.#held.add(host);
    else this.#held.delete(host);
    telemetry.plannedBytes.set({ host }, plan.plannedBytes);
    if (isFrozen) this.#frozen.add(host);
    else this.#frozen.delete(host);
    if (isFrozen && !wasFrozen) log.warn({ host, why: plan.frozen }, 'the budgets of a host are frozen');
    if (!isFrozen && wasFrozen) log.info({ host }, 'a frozen host is planned again');
    // What repeats an earlier decision is no decision.
    const isNews = round.outcome === 'dry-run' ? !isSame(before, plan) : round.written > 0;
    if (!isNews && isFrozen === wasFrozen) return;
    decisions.add(plan, round.input);
    log.info(
      { host, plan: plan.plan, written: round.written, plannedBytes: plan.plannedBytes, frozen: plan.frozen },
      'plan decided',
    );
  }
}

function isSame(one: BudgetPlan | undefined, other: BudgetPlan): boolean {
  const budgets = (plan: BudgetPlan) =>
    plan.budgets.map(({ container, budgetBytes }) => [container, budgetBytes]);
  return one !== undefined && JSON.stringify(budgets(one)) === JSON.stringify(budgets(other));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
