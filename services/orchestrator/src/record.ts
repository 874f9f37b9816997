/**
 * Decisions that can be decided again. What a plan was decided from is kept beside it in the stream: as JSON, deflated,
 * because the state of sixteen containers is mostly alike, and in parts that fit a message.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type BudgetPlan, fail, ok, type RecordedInput, type Result } from '@nautilus/contracts';
import { decidePlan } from './plan/decide.ts';
import type { HostSnapshot, PlanPolicy } from './plan/types.ts';

export interface PlanInput {
  readonly snapshot: HostSnapshot;
  readonly policy: PlanPolicy;
  readonly now: number;
}

/** Characters of base64; NATS carries 1 MiB in a message by default. */
const partLength = 512 * 1024;
/** A record of 10,000 containers is smaller; what inflates to more was not written here. */
const mostBytes = 64 * 1024 ** 2;

export function recordInput(plan: string, input: PlanInput): readonly RecordedInput[] {
  const text = JSON.stringify(input);
  const digest = createHash('sha256').update(text).digest('hex');
  const data = deflateRawSync(text).toString('base64');
  const parts = Math.ceil(data.length / partLength);
  return Array.from({ length: parts }, (_, part) => ({
    plan,
    host: input.snapshot.host,
    digest,
    part,
    parts,
    data: data.slice(part * partLength, (part + 1) * partLength),
  }));
}

/** All parts of one plan, in any order, some perhaps twice. */
export function readInput(records: readonly RecordedInput[]): Result<PlanInput> {
  const first = records[0];
  if (first === undefined) return fail('invalid_request', 'no record of what the plan was decided from');
  const byPart = new Map(records.map((record) => [record.part, record.data]));
  if (byPart.size !== first.parts) {
    return fail(
      'invalid_request',
      `record of ${first.plan}: ${byPart.size} of ${first.parts} parts were found`,
    );
  }
  const data = Array.from({ length: first.parts }, (_, part) => byPart.get(part) ?? '').join('');
  let text: string;
  try {
    text = inflateRawSync(Buffer.from(data, 'base64'), { maxOutputLength: mostBytes }).toString();
  } catch (error) {
    return fail('invalid_request', `record of ${first.plan} cannot be read: ${String(error)}`);
  }
  const digest = createHash('sha256').update(text).digest('hex');
  if (digest !== first.digest) {
    return fail(
      'invalid_request',
      `record of ${first.plan}: its digest is ${digest}, stated was ${first.digest}`,
    );
  }
  return ok(JSON.parse(text) as PlanInput);
}

/** Decides a recorded plan again. `differs` names the first budget that came out otherwise, or null. */
export function replayPlan(
  plan: BudgetPlan,
  records: readonly RecordedInput[],
): Result<{ readonly again: BudgetPlan; readonly differs: string | null }> {
  const mine = records.filter((record) => record.plan === plan.plan);
  const input = readInput(mine);
  if (!input.ok) return input;
  if (mine[0]?.digest !== plan.inputDigest) {
    return fail(
      'invalid_request',
      `plan ${plan.plan} was decided from ${plan.inputDigest}, recorded is ${mine[0]?.digest}`,
    );
  }
  const { snapshot, policy, now } = input.value;
  const decided = decidePlan(snapshot, policy, now).plan;
  const again: BudgetPlan = { ...plan, ...decided, budgets: [...decided.budgets] };
  return ok({ again, differs: firstDifference(plan, again) });
}

function firstDifference(one: BudgetPlan, other: BudgetPlan): string | null {
  if (JSON.stringify(one.budgets) === JSON.stringify(other.budgets)) {
    return one.capacityBytes === other.capacityBytes && one.frozen === other.frozen ? null : 'the host';
  }
  const index = one.budgets.findIndex(
    (budget, at) => JSON.stringify(budget) !== JSON.stringify(other.budgets[at]),
  );
  return one.budgets[index]?.container ?? 'a container that only one of them has';
}
