/** Who comes first. A smaller rank is served earlier; equals share. */
import type { Policy, Priority } from '@nautilus/contracts';

const order = { critical: 0, high: 1, normal: 2, low: 3, maintenance: 4 } as const satisfies Record<
  Priority,
  number
>;

export function priorityRank(priority: Priority): number {
  return order[priority];
}

/**
 * For what is already held: critical first, then whoever was guaranteed it, then by priority. Critical stays ahead of
 * every guarantee of a lower class, so that it is never cut for one.
 */
export function floorRank(spec: { readonly priority: Priority; readonly policy: Policy }): number {
  const guaranteed = spec.policy === 'guaranteed';
  if (spec.priority === 'critical') return guaranteed ? 0 : 1;
  return guaranteed ? 2 : 2 + order[spec.priority];
}
