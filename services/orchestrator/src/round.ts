/**
 * One round for one host: read, decide, write. When someone else wrote meanwhile, what was decided is worth nothing:
 * it is read and decided again, a few times at most, and then left to the next round.
 */
import type { BudgetPlan, RememberedContainer } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import type { Memory } from './memory.ts';
import { standingOf } from './plan/ceiling.ts';
import { decidePlan } from './plan/decide.ts';
import type { HostSnapshot, PlanPolicy } from './plan/types.ts';
import { type Decision, newerEpoch, type Write, writesFor } from './plan/writes.ts';
import type { PlanInput } from './record.ts';
import { type HostView, type State, viewHost } from './state.ts';

export interface Leadership {
  readonly epoch: number;
  /** False from the moment that another may lead. */
  readonly isLeading: () => boolean;
}

export interface RoundParts {
  readonly state: State;
  readonly memory: Memory;
  readonly policy: PlanPolicy;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly newPlanId: (host: string) => string;
  /** Decides and writes nothing. */
  readonly dryRun?: boolean;
}

/** `unknown`: nothing is reported of that host; `lost`: this leader's time is over. */
export type RoundOutcome = 'written' | 'unchanged' | 'frozen' | 'conflict' | 'unknown' | 'lost' | 'dry-run';

export interface Round {
  readonly outcome: RoundOutcome;
  readonly plan: BudgetPlan | null;
  /** How many keys were written. */
  readonly written: number;
  /** What the plan was decided from. */
  readonly input: PlanInput | null;
  /** Why it did not go through, or null. */
  readonly refused: string | null;
  /** Increases wait until the agent has reported decreases. */
  readonly isHeld: boolean;
}

const attempts = 3;
const nothing = { plan: null, written: 0, input: null, refused: null, isHeld: false } as const;

export async function planHost(parts: RoundParts, host: string, leadership: Leadership): Promise<Round> {
  const { state, memory, log } = parts;
  let quiet: boolean | null = null;
  for (let attempt = 1; ; attempt += 1) {
    const view = await viewHost(state, host);
    if (view === null) return { outcome: 'unknown', ...nothing };
    const newer = newerEpoch(view.desired, leadership.epoch);
    if (newer !== null) {
      const refused =
        'budgets carry a newer epoch than this leader: another one leads, or the clock of the NATS server went back; nothing is written';
      log.error({ host, epoch: leadership.epoch, newer }, refused);
      return {
        outcome: 'lost',
        ...nothing,
        refused: `${refused} (epoch ${leadership.epoch}, found ${newer})`,
      };
    }
    quiet ??= await memory.look(host, view.snapshot.at, view.desired.size > 0);
    const snapshot = recall(view, memory, quiet);
    const { plan, remembered, input, isHeld } = decide(parts, snapshot);
    const told = new Map(snapshot.containers.map(({ name, toldOomKills }) => [name, toldOomKills ?? 0]));
    if (plan.frozen !== null) return { outcome: 'frozen', plan, written: 0, input, refused: null, isHeld };
    if (parts.dryRun === true) {
      memory.keep(host, inForce(remembered, snapshot), told);
      return {
        outcome: 'dry-run',
        plan: { ...plan, dryRun: true },
        written: 0,
        input,
        refused: null,
        isHeld,
      };
    }
    const decision: Decision = { plan: plan.plan, epoch: leadership.epoch, decidedAt: plan.decidedAt };
    const standings = new Map(snapshot.containers.map((each) => [each.name, standingOf(each)]));
    const writes = writesFor(plan.budgets, view.desired, decision, standings);
    const result = await writeAll(state, host, writes, leadership);
    if (result === 'lost') {
      return { outcome: 'lost', ...nothing, refused: 'its leadership ended before everything was written' };
    }
    if (result === 'written') {
      memory.keep(host, remembered, told);
      await memory.save(host, leadership.isLeading);
      const outcome = writes.length === 0 ? 'unchanged' : 'written';
      return { outcome, plan, written: writes.length, input, refused: null, isHeld };
    }
    log.warn({ host, attempt, key: result.conflict }, 'someone else wrote a budget, deciding again');
    if (attempt === attempts) {
      const refused = `someone else wrote ${result.conflict}, ${attempts} times in a row`;
      return { outcome: 'conflict', ...nothing, refused };
    }
  }
}

function recall({ snapshot }: HostView, memory: Memory, quiet: boolean): HostSnapshot {
  const { host } = snapshot;
  const containers = snapshot.containers.map((each) => ({
    ...each,
    remembered: memory.of(host, each.name),
    toldOomKills: memory.toldOomKills(host, each.name),
  }));
  return { ...snapshot, quiet, containers };
}

function decide({ clock, policy, newPlanId }: RoundParts, snapshot: HostSnapshot) {
  const now = clock.now();
  const { plan, remembered, isHeld } = decidePlan(snapshot, policy, now);
  const { budgets, ...rest } = plan;
  const decided: BudgetPlan = {
    plan: newPlanId(snapshot.host),
    host: snapshot.host,
    decidedAt: now,
    ...rest,
    budgets: [...budgets],
  };
  const input: PlanInput = { snapshot, policy, now };
  return { plan: decided, remembered, input, isHeld };
}

/** Nothing was written, so what binds is still the old budget; the policy must not believe that somebody undid its move. */
function inForce(
  remembered: ReadonlyMap<string, RememberedContainer>,
  { containers }: HostSnapshot,
): ReadonlyMap<string, RememberedContainer> {
  const byName = new Map(containers.map((each) => [each.name, each]));
  return new Map(
    [...remembered].map(([name, value]) => {
      const state = byName.get(name);
      const bound = state?.kernel?.limitBytes ?? state?.desired?.budgetBytes ?? state?.budgetBytes ?? 0;
      return [name, { ...value, loanBytes: 0, limit: { ...value.limit, limitBytes: bound } }];
    }),
  );
}

/** Stops at the first write that is refused: an increase must not follow a decrease that did not happen. */
async function writeAll(
  { desired }: State,
  host: string,
  writes: readonly Write[],
  leadership: Leadership,
): Promise<'written' | 'lost' | { readonly conflict: string }> {
  for (const { container, revision, value } of writes) {
    if (!leadership.isLeading()) return 'lost';
    const key = `${host}.${container}`;
    const result =
      revision === null ? await desired.create(key, value) : await desired.update(key, value, revision);
    if (!result.ok) return { conflict: key };
  }
  return 'written';
}
