/**
 * One round for one host: read, decide, write. When someone else wrote meanwhile, what was decided is worth nothing:
 * it is read and decided again, a few times at most, and then left to the next round.
 */
import type { BudgetPlan } from '@nautilus/contracts';
import type { Clock, Logger } from '@nautilus/kit';
import { planBudgets } from './plan/planner.ts';
import type { PlanPolicy } from './plan/types.ts';
import { type Decision, newerEpoch, type Write, writesFor } from './plan/writes.ts';
import { type HostView, type State, viewHost } from './state.ts';

export interface Leadership {
  readonly epoch: number;
  /** False from the moment that another may lead. */
  readonly isLeading: () => boolean;
}

export interface RoundParts {
  readonly state: State;
  readonly policy: PlanPolicy;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  readonly newPlanId: (host: string) => string;
}

/** `unknown`: nothing is reported of that host; `lost`: this leader's time is over. */
export type RoundOutcome = 'written' | 'unchanged' | 'frozen' | 'conflict' | 'unknown' | 'lost';

export interface Round {
  readonly outcome: RoundOutcome;
  readonly plan: BudgetPlan | null;
  /** How many keys were written. */
  readonly written: number;
}

const attempts = 3;

export async function planHost(parts: RoundParts, host: string, leadership: Leadership): Promise<Round> {
  for (let attempt = 1; ; attempt += 1) {
    const view = await viewHost(parts.state, host);
    if (view === null) return { outcome: 'unknown', plan: null, written: 0 };
    const newer = newerEpoch(view.desired, leadership.epoch);
    if (newer !== null) {
      parts.log.error(
        { host, epoch: leadership.epoch, newer },
        'budgets carry a newer epoch than this leader: another one leads, or the clock of the NATS server went back; nothing is written',
      );
      return { outcome: 'lost', plan: null, written: 0 };
    }
    const plan = decide(parts, view);
    if (plan.frozen !== null) return { outcome: 'frozen', plan, written: 0 };
    const decision: Decision = { plan: plan.plan, epoch: leadership.epoch, decidedAt: plan.decidedAt };
    const writes = writesFor(plan.budgets, view.desired, decision);
    if (writes.length === 0) return { outcome: 'unchanged', plan, written: 0 };
    const result = await writeAll(parts.state, host, writes, leadership);
    if (result === 'lost') return { outcome: 'lost', plan: null, written: 0 };
    if (result === 'written') return { outcome: 'written', plan, written: writes.length };
    parts.log.warn({ host, attempt, key: result.conflict }, 'someone else wrote a budget, deciding again');
    if (attempt === attempts) return { outcome: 'conflict', plan: null, written: 0 };
  }
}

function decide({ clock, policy, newPlanId }: RoundParts, { snapshot }: HostView): BudgetPlan {
  const now = clock.now();
  const { budgets, ...rest } = planBudgets(snapshot, policy, now);
  return {
    plan: newPlanId(snapshot.host),
    host: snapshot.host,
    decidedAt: now,
    ...rest,
    budgets: [...budgets],
  };
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
