/**
 * `api.orchestrator.plan.explain`. The leader answers with its last plan; an instance that waits, or has not planned
 * yet, puts the answer together from what stands in the buckets, so that it does not matter who is asked.
 */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { type BudgetPlan, type ExplainedContainer, explainPlan, ok } from '@nautilus/contracts';
import type { Heard } from './heard.ts';
import { type State, viewHost } from './state.ts';

export interface ExplainParts {
  readonly state: State;
  readonly heard: Heard;
  /** The last plan of this instance while it leads. */
  readonly lastPlan: (host: string) => BudgetPlan | null;
  readonly leadership: () => { readonly leader: boolean; readonly epoch: number | null };
}

export function explainEndpoint({ state, heard, lastPlan, leadership }: ExplainParts): Endpoint {
  return endpoint({
    contract: explainPlan,
    handle: async ({ host, container }) => {
      const plan = lastPlan(host) ?? (await storedPlan(state, host));
      if (container === undefined) return ok({ plan, ...leadership() });
      return ok({ plan, container: await explained({ state, heard }, host, container), ...leadership() });
    },
  });
}

async function explained(
  { state, heard }: Pick<ExplainParts, 'state' | 'heard'>,
  host: string,
  container: string,
): Promise<ExplainedContainer | null> {
  const key = `${host}.${container}`;
  const [desired, observed, forecast, remembered] = await Promise.all([
    state.desired.get(key),
    state.observed.get(key),
    state.forecast.get(key),
    state.remembered.get(key),
  ]);
  if (desired === null && observed === null) return null;
  return {
    container,
    desired: desired?.value ?? null,
    observed: observed?.value ?? null,
    forecast: forecast?.value ?? null,
    remembered: remembered?.value ?? null,
    limitWrites: [...heard.limitWrites(host, container)],
    reflexReceipts: [...heard.receipts(host, container)],
  };
}

/** The budgets in force with the reasons they were written with; null when nothing was ever decided for the host. */
async function storedPlan(state: State, host: string): Promise<BudgetPlan | null> {
  const view = await viewHost(state, host);
  if (view === null) return null;
  const { snapshot, desired } = view;
  const budgets: BudgetPlan['budgets'] = [];
  let newest: { plan: string; decidedAt: number; revision: number } | null = null;
  for (const { name, leasedBytes } of [...snapshot.containers].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const stored = desired.get(name);
    if (stored === undefined) continue;
    const { budgetBytes, reason, plan, decidedAt } = stored.value;
    budgets.push({ container: name, budgetBytes, previousBytes: null, leasedBytes, reason });
    if (newest === null || stored.revision > newest.revision) {
      newest = { plan, decidedAt, revision: stored.revision };
    }
  }
  if (newest === null) return null;
  return {
    plan: newest.plan,
    host,
    decidedAt: newest.decidedAt,
    capacityBytes: Math.max(0, snapshot.grantableBytes - snapshot.lingeringBytes),
    plannedBytes: budgets.reduce((sum, { budgetBytes }) => sum + budgetBytes, 0),
    budgets,
    frozen: null,
  };
}
