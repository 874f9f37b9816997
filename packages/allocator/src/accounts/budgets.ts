/**
 * Obeying desired budgets without ever exceeding the host: decreases count at once, increases only as far as what
 * the decreased containers really gave back. Pure; the caller writes down what came out.
 */
import { type DesiredBudget, formatBytes } from '@nautilus/contracts';

export interface BudgetHolder {
  readonly name: string;
  readonly budgetBytes: number;
  readonly leasedBytes: number;
  readonly maximumBytes: number;
}

export interface BudgetChange {
  readonly container: string;
  readonly budgetBytes: number;
  readonly previousBytes: number;
  readonly epoch: number;
  readonly reason: string;
}

export interface BudgetOutcome {
  readonly changes: readonly BudgetChange[];
  /** Obeyed in part: the rest waits until others gave back. */
  readonly waiting: readonly { container: string; missingBytes: number }[];
  /** Not obeyed, with the reason. */
  readonly refused: readonly {
    container: string;
    reason: string;
    code: 'stale_epoch' | 'unknown_container';
  }[];
  readonly epoch: number;
}

/** What a container occupies of the host: what it may have, or what it still holds above that. */
export function claimOf(holder: Pick<BudgetHolder, 'budgetBytes' | 'leasedBytes'>): number {
  return Math.max(holder.budgetBytes, holder.leasedBytes);
}

export function applyBudgets(
  holders: readonly BudgetHolder[],
  desired: ReadonlyMap<string, DesiredBudget>,
  host: { readonly grantableBytes: number; readonly lingeringBytes: number; readonly epoch: number },
): BudgetOutcome {
  const refused: { container: string; reason: string; code: 'stale_epoch' | 'unknown_container' }[] = [];
  const known = new Map(holders.map((holder) => [holder.name, holder]));
  const wanted: { holder: BudgetHolder; target: number; budget: DesiredBudget }[] = [];
  let epoch = host.epoch;
  for (const [container, budget] of desired) {
    const holder = known.get(container);
    if (holder === undefined) {
      refused.push({ container, code: 'unknown_container', reason: 'not configured on this host' });
    } else if (budget.epoch < host.epoch) {
      refused.push({
        container,
        code: 'stale_epoch',
        reason: `epoch ${budget.epoch}, but ${host.epoch} was obeyed already`,
      });
    } else {
      epoch = Math.max(epoch, budget.epoch);
      wanted.push({ holder, target: Math.min(budget.budgetBytes, holder.maximumBytes), budget });
    }
  }

  const now = new Map(holders.map((holder) => [holder.name, holder.budgetBytes]));
  const changes: BudgetChange[] = [];
  const waiting: { container: string; missingBytes: number }[] = [];
  const change = (holder: BudgetHolder, budgetBytes: number, budget: DesiredBudget, note: string) => {
    if (budgetBytes === holder.budgetBytes) return;
    now.set(holder.name, budgetBytes);
    changes.push({
      container: holder.name,
      budgetBytes,
      previousBytes: holder.budgetBytes,
      epoch: budget.epoch,
      reason: note === '' ? budget.reason : `${budget.reason}; ${note}`,
    });
  };

  for (const { holder, target, budget } of wanted) {
    if (target < holder.budgetBytes) change(holder, target, budget, '');
  }
  let free = host.grantableBytes - host.lingeringBytes;
  for (const holder of holders) {
    free -= claimOf({
      budgetBytes: now.get(holder.name) ?? holder.budgetBytes,
      leasedBytes: holder.leasedBytes,
    });
  }
  for (const { holder, target, budget } of wanted) {
    if (target <= holder.budgetBytes) continue;
    const claimed = claimOf(holder);
    const extra = Math.max(0, Math.min(target - claimed, free));
    const reached = Math.min(target, claimed + extra);
    free -= Math.max(0, reached - claimed);
    const missingBytes = target - reached;
    if (missingBytes > 0) waiting.push({ container: holder.name, missingBytes });
    if (reached > holder.budgetBytes) {
      change(
        holder,
        reached,
        budget,
        missingBytes > 0 ? `${formatBytes(missingBytes)} wait until others give back` : '',
      );
    }
  }
  return { changes, waiting, refused, epoch };
}
