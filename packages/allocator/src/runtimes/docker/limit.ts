/**
 * One limit, written through the engine, so that its configuration and the kernel agree: looked at right before, read
 * back right after. What the engine says of success counts for nothing; what the cgroup says does.
 */
import type { Clock } from '@nautilus/kit';
import type { Controller } from '../cgroup/controller.ts';
import type { CgroupDirectory } from '../cgroup/files.ts';
import { isBelow, isReadBackOf } from '../cgroup/parse.ts';
import { shrinkStep } from '../cgroup/shrink.ts';
import type { ByteLimit, Figures, LimitGuard, LimitOutcome, LimitRequest, LimitResult } from '../runtime.ts';
import type { DockerApi, InspectedContainer, UpdateBody } from './api.ts';
import { type Failure, saysBusy } from './failure.ts';
import { isLive } from './inventory.ts';
import { leastLimitBytes, planUpdate } from './update-plan.ts';

export interface LimitContext {
  readonly api: DockerApi;
  readonly clock: Clock;
  readonly controller: Controller | null;
  /** Updates that got no answer, by container id: see {@link Unsettled}. */
  readonly unsettled: Unsettled;
  /** From the cgroup where it can be seen, else from the engine; null: neither. */
  readonly figuresOf: () => Promise<Figures | null>;
}

export interface LimitTarget {
  readonly id: string;
  readonly startedAt: string;
  readonly directory: CgroupDirectory | null;
}

/** A read from an engine that answers takes milliseconds; the rest of the deadline belongs to the write. */
const leastWriteMs = 50;

export async function limitContainer(
  context: LimitContext,
  target: LimitTarget,
  request: LimitRequest,
  guard: LimitGuard,
): Promise<LimitResult> {
  const { api, clock, unsettled, figuresOf } = context;
  const endMs = clock.monotonic() + guard.deadlineMs;
  const { limitBytes } = request;
  const before = await figuresOf();
  const end = (
    outcome: LimitOutcome,
    reason: string,
    readBack = before?.limitBytes ?? null,
  ): LimitResult => ({
    outcome,
    readBackBytes: readBack,
    reason,
    skipped: {},
  });
  if (limitBytes === 'max') return await liftLimit(context, target, request, guard);
  if (limitBytes < leastLimitBytes) {
    return end('refused', `the engine takes no limit below ${leastLimitBytes} bytes; found ${limitBytes}`);
  }
  const inspected = await api.inspect(target.id, Math.max(leastWriteMs, endMs - clock.monotonic()));
  if (!inspected.ok) return end(outcomeOf(inspected.failure), inspected.failure.reason);
  const { State, HostConfig } = inspected.value;
  if (!isLive({ state: State.Status })) {
    // The engine would store the limit, say so, and write it to no cgroup.
    return end('refused', `the container is ${State.Status}: there is no cgroup that could take the limit`);
  }
  if (State.StartedAt !== target.startedAt) return end('gone', 'the container was started anew meanwhile');
  const wait = unsettled.reasonToWait(target.id, clock.monotonic());
  if (wait !== null) return end('refused', wait);

  // Right before the write: what follows is the engine's own way to the kernel.
  const now = await figuresOf();
  const obstacle = obstacleOf(now, limitBytes, guard);
  if (obstacle !== null) return end('refused', obstacle, now?.limitBytes ?? null);
  const safe = await shrinkDirectly(context, target, request, guard, now);
  if (safe !== null && safe.outcome !== 'applied' && safe.outcome !== 'unsupported') return safe;

  const leftMs = endMs - clock.monotonic();
  if (leftMs < leastWriteMs) return end('timed-out', `no time was left of ${guard.deadlineMs} ms to write`);
  const low = typeof request.lowBytes === 'number' ? request.lowBytes : null;
  const body = planUpdate(HostConfig, now?.swapLimitBytes ?? null, limitBytes, low);
  const answer = await api.update(target.id, body, leftMs);
  const failure = answer.ok ? null : answer.failure;
  if (failure !== null && leavesOpen(failure)) unsettled.add(target.id);
  const readBack = (await figuresOf())?.limitBytes ?? null;
  const verdict = judge(failure, limitBytes, readBack, target);
  const skipped =
    verdict.outcome === 'applied'
      ? await applyOthers(context, target, request, guard, body, inspected.value)
      : {};
  return { ...verdict, readBackBytes: readBack, skipped };
}

function judge(
  failure: Failure | null,
  limitBytes: number,
  readBack: ByteLimit | null,
  { directory }: LimitTarget,
): Pick<LimitResult, 'outcome' | 'reason'> {
  const isGone = directory !== null && !directory.isSame();
  if (isGone) return { outcome: 'gone', reason: 'the container ended while its limit was written' };
  if (isReadBackOf(limitBytes, readBack)) {
    const how = failure === null ? '' : `, although the engine said otherwise: ${failure.reason}`;
    return { outcome: 'applied', reason: `the limit is ${readBack}${how}` };
  }
  if (failure === null) {
    const reason = `the engine said done, the limit is ${readBack ?? 'not known'} instead of ${limitBytes}`;
    return { outcome: 'refused', reason };
  }
  const open = leavesOpen(failure) ? '; it may still take effect, so count the larger limit until then' : '';
  return { outcome: outcomeOf(failure), reason: `${failure.reason}${open}` };
}

export function outcomeOf(failure: Failure): LimitOutcome {
  if (saysBusy(failure)) return 'busy';
  switch (failure.kind) {
    case 'not-found':
      return 'gone';
    case 'timed-out':
    case 'unreachable':
      return 'timed-out';
    case 'conflict':
    case 'refused':
    case 'failed':
    case 'garbled':
      return 'refused';
  }
}

/** Whether the engine may do later what it was asked. */
function leavesOpen({ kind }: Failure): boolean {
  return kind === 'timed-out' || kind === 'unreachable' || kind === 'garbled';
}

/** Null: the limit may be written. What cannot be seen is not known to fit. */
function obstacleOf(now: Figures | null, limitBytes: number, guard: LimitGuard): string | null {
  if (now === null) return 'what is in use cannot be read, so no limit is known to be safe';
  const { limitBytes: current, workingSetBytes, usageBytes } = now;
  if (current !== null && !isBelow(limitBytes, current)) return null;
  if (workingSetBytes === null || usageBytes === null) {
    return `what is in use cannot be read, so ${limitBytes} bytes are not known to be enough`;
  }
  const figures = { usageBytes, workingSetBytes, targetBytes: limitBytes };
  const step = shrinkStep({ ...figures, marginBytes: guard.usageMarginBytes });
  return step.step === 'refuse' ? step.reason : null;
}

/**
 * On v2 the engine's way to memory.max kills when usage grew since the look. Where the agent may write the cgroup, it
 * lowers it first by the careful way, and the engine then writes what stands already. Null: not needed.
 */
async function shrinkDirectly(
  { controller, clock }: LimitContext,
  { directory }: LimitTarget,
  { limitBytes }: LimitRequest,
  guard: LimitGuard,
  now: Figures | null,
): Promise<LimitResult | null> {
  if (controller?.version !== 2 || directory === null) return null;
  if (!isBelow(limitBytes, now?.limitBytes ?? 'max')) return null;
  return await controller.limit(directory, { limitBytes }, guard, clock);
}

/** The engine has no way back to no limit; the kernel has. */
async function liftLimit(
  { controller, clock }: LimitContext,
  { directory }: LimitTarget,
  request: LimitRequest,
  guard: LimitGuard,
): Promise<LimitResult> {
  if (controller === null || directory === null) {
    const reason = 'the engine cannot take a limit away, and the cgroup is out of reach';
    return { outcome: 'unsupported', readBackBytes: null, reason, skipped: {} };
  }
  const result = await controller.limit(directory, request, guard, clock);
  const engine = 'the engine keeps the limit it has stored and sets it again when the container starts';
  return { ...result, skipped: { ...result.skipped, engine } };
}

/** What the Docker API has no words for goes to the cgroup, where the agent may write it. */
async function applyOthers(
  { controller, clock, figuresOf }: LimitContext,
  { directory }: LimitTarget,
  request: LimitRequest,
  guard: LimitGuard,
  body: UpdateBody,
  { HostConfig }: InspectedContainer,
): Promise<Record<string, string>> {
  const skipped: Record<string, string> = {};
  const { limitBytes: _, lowBytes, ...others } = request;
  if (lowBytes === 'max') skipped['lowBytes'] = 'the engine reserves no more than the limit; give bytes';
  else if (lowBytes === 0 && HostConfig.MemoryReservation > 0) {
    skipped['lowBytes'] = `the engine cannot take a reservation back; ${HostConfig.MemoryReservation} stays`;
  } else if (lowBytes !== undefined && body.MemoryReservation !== lowBytes) {
    skipped['lowBytes'] =
      `the engine reserves from ${leastLimitBytes} bytes up to the limit; ${body.MemoryReservation} was asked for`;
  }
  const asked = Object.keys(others);
  if (asked.length === 0) return skipped;
  const limitBytes = (await figuresOf())?.limitBytes ?? null;
  if (controller?.version !== 2 || directory === null || limitBytes === null) {
    for (const field of asked) skipped[field] = 'the engine cannot set it; it needs a writable cgroup v2';
    return skipped;
  }
  const result = await controller.limit(directory, { limitBytes, ...others }, guard, clock);
  if (result.outcome !== 'applied') for (const field of asked) skipped[field] = result.reason;
  return { ...skipped, ...result.skipped };
}

/**
 * Updates whose answer never came. A stopped engine that goes on works off what it had received; a decrease that lands
 * after a later increase would be below what is in use by then. Until the engine has answered for a while, no other
 * limit is written to that container.
 */
export class Unsettled {
  /** Null: the engine has not answered since. */
  readonly #settledAtMs = new Map<string, number | null>();
  readonly #settleMs: number;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  add(id: string): void {
    this.#settledAtMs.set(id, null);
  }

  /** Called when the engine has just answered. */
  reasonToWait(id: string, nowMs: number): string | null {
    const settledAtMs = this.#settledAtMs.get(id);
    if (settledAtMs === undefined) return null;
    if (settledAtMs === null) this.#settledAtMs.set(id, nowMs + this.#settleMs);
    else if (nowMs >= settledAtMs) {
      this.#settledAtMs.delete(id);
      return null;
    }
    return `an earlier update got no answer and may still land; try again in ${this.#settleMs} ms`;
  }
}
