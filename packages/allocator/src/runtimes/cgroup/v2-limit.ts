/**
 * Setting limits on cgroup v2, where a memory.max below usage kills. A decrease therefore reclaims page cache first,
 * brakes growth with memory.high while it writes, looks again right before the write, and takes back what hurts.
 */
import type { ByteLimit, LimitGuard, LimitOutcome, LimitRequest, LimitResult, Timing } from '../runtime.ts';
import { outcomeOf, within } from './controller.ts';
import type { Answer, CgroupDirectory } from './files.ts';
import { formatLimit, isBelow, isReadBackOf, parseCount, parseKeyed } from './parse.ts';
import { readLimit } from './reading.ts';
import { shrinkStep } from './shrink.ts';

/** Between two looks at a usage that the kernel did not bring down at once. */
const lookAgainMs = 5;
const reclaimStepBytes = 8 * 1024 * 1024;

interface Ending {
  readonly outcome: LimitOutcome;
  readonly reason: string;
}

interface Attempt {
  readonly directory: CgroupDirectory;
  readonly request: LimitRequest;
  readonly guard: LimitGuard;
  readonly timing: Timing;
  readonly endMs: number;
  readonly before: ByteLimit;
}

interface InUse {
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly oomKills: number;
}

export async function limitV2(
  directory: CgroupDirectory,
  request: LimitRequest,
  guard: LimitGuard,
  timing: Timing,
): Promise<LimitResult> {
  const before = await readLimit(directory, 'memory.max');
  if (!before.ok) {
    return { outcome: outcomeOf(before.refusal), readBackBytes: null, reason: before.reason, skipped: {} };
  }
  const endMs = timing.monotonic() + guard.deadlineMs;
  const attempt: Attempt = { directory, request, guard, timing, endMs, before: before.value };
  const lowers = isBelow(request.limitBytes, before.value);
  const skipped: Record<string, string> = {};
  const ending = lowers ? await lower(attempt, skipped) : await writeMaximum(attempt, null);
  if (ending.outcome === 'applied') await applyOthers(attempt, skipped);
  const readBack = await readLimit(directory, 'memory.max');
  return { ...ending, readBackBytes: readBack.ok ? readBack.value : null, skipped };
}

async function lower(attempt: Attempt, skipped: Record<string, string>): Promise<Ending> {
  const fence = new Fence(attempt);
  const room = await makeRoom(attempt, fence);
  const ending = 'outcome' in room ? room : await writeMaximum(attempt, room);
  const notLifted = await fence.lift();
  if (notLifted !== null && ending.outcome !== 'gone') skipped['fence'] = notLifted;
  return ending;
}

/** Until usage and margin fit under the new limit with the fence in place: then what is in use, and write at once. */
async function makeRoom(attempt: Attempt, fence: Fence): Promise<Ending | InUse> {
  const { directory, request, guard, timing, endMs } = attempt;
  const target = { targetBytes: Number(request.limitBytes), marginBytes: guard.usageMarginBytes };
  for (;;) {
    const found = await inUse(directory);
    if (!found.ok) return { outcome: outcomeOf(found.refusal), reason: found.reason };
    const next = shrinkStep({ ...found.value, ...target });
    if (next.step === 'refuse') return { outcome: 'refused', reason: next.reason };
    if (next.step === 'write') {
      if (fence.stands) return found.value;
      const closed = await fence.raise(target.targetBytes - target.marginBytes);
      if (closed !== null) return closed;
      continue;
    }
    const chunkBytes = Math.min(next.excessBytes, reclaimStepBytes);
    const late: Ending = {
      outcome: 'timed-out',
      reason: `${next.excessBytes} bytes of page cache were still to be reclaimed after ${guard.deadlineMs} ms`,
    };
    if (timing.monotonic() >= endMs) return late;
    const reclaimed = await within(timing, endMs, directory.write('memory.reclaim', String(chunkBytes)));
    if (reclaimed === null) return late;
    if (reclaimed.ok) continue;
    if (reclaimed.refusal === 'gone') return { outcome: 'gone', reason: reclaimed.reason };
    if (reclaimed.refusal !== 'short' && !fence.stands) {
      // Kernels before 5.19 have no memory.reclaim; there, lowering memory.high reclaims.
      const closed = await fence.raise(target.targetBytes - target.marginBytes);
      if (closed !== null) return closed;
    }
    await timing.sleep(lookAgainMs);
  }
}

/** `lastLook`: what was in use right before a decrease; null for an increase, which cannot hurt. */
async function writeMaximum(attempt: Attempt, lastLook: InUse | null): Promise<Ending> {
  const { directory, request, guard, timing, endMs, before } = attempt;
  const target = request.limitBytes;
  const writing = directory.write('memory.max', formatLimit(target));
  const written = await within(timing, endMs, writing);
  if (written === null) {
    // It may still land: then what stood before is written again.
    void writing.then(async () => await directory.write('memory.max', formatLimit(before)));
    return {
      outcome: 'timed-out',
      reason: `memory.max: the kernel did not answer in ${guard.deadlineMs} ms`,
    };
  }
  if (!written.ok) return { outcome: outcomeOf(written.refusal), reason: written.reason };
  const readBack = await readLimit(directory, 'memory.max');
  if (!readBack.ok) return { outcome: outcomeOf(readBack.refusal), reason: readBack.reason };
  if (!isReadBackOf(target, readBack.value)) {
    return {
      outcome: 'refused',
      reason: `memory.max: wrote ${target} and read back ${readBack.value}; someone else sets this limit too`,
    };
  }
  const harm = lastLook === null ? null : await harmSince(attempt, lastLook);
  if (harm === null)
    return { outcome: 'applied', reason: `memory.max is ${readBack.value}, it was ${before}` };
  const restored = await directory.write('memory.max', formatLimit(before));
  const end = restored.ok
    ? `${before} stands again`
    : `and ${before} could not be restored: ${restored.reason}`;
  return { outcome: 'refused', reason: `${harm}; ${end}` };
}

/** What went wrong between the last look and now, for a person; null: nothing, and the limit may stay. */
async function harmSince({ directory, request, guard }: Attempt, lastLook: InUse): Promise<string | null> {
  const now = await inUse(directory);
  if (!now.ok) return null;
  const kills = now.value.oomKills - lastLook.oomKills;
  if (kills > 0) return `the kernel killed ${kills} processes while memory.max was lowered`;
  // Whoever grew meanwhile stands at the fence; without it, it would run into the new limit.
  const step = shrinkStep({
    ...now.value,
    targetBytes: Number(request.limitBytes),
    marginBytes: guard.usageMarginBytes,
  });
  return step.step === 'refuse' ? `usage jumped during the write: ${step.reason}` : null;
}

/**
 * memory.high at the new limit less the margin: what grows during the write is slowed down, not killed. Set only once
 * usage is below it, so that it stalls nobody who does not grow.
 */
class Fence {
  stands = false;
  readonly #attempt: Attempt;
  #previous: ByteLimit | null = null;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  async raise(bytes: number): Promise<Ending | null> {
    const { directory, timing, endMs, guard } = this.#attempt;
    this.stands = true;
    const previous = await readLimit(directory, 'memory.high');
    if (previous.ok && !isBelow(bytes, previous.value)) return null;
    if (previous.ok) {
      this.#previous = previous.value;
      const writing = directory.write('memory.high', String(bytes));
      const written = await within(timing, endMs, writing);
      if (written === null) {
        void writing.then(async () => await this.lift());
        return { outcome: 'timed-out', reason: `memory.high: no answer in ${guard.deadlineMs} ms` };
      }
      if (written.ok) return null;
      this.#previous = null;
      return { outcome: outcomeOf(written.refusal), reason: `no fence: ${written.reason}` };
    }
    return { outcome: outcomeOf(previous.refusal), reason: `no fence: ${previous.reason}` };
  }

  /** Null, or why memory.high is not what it was. */
  async lift(): Promise<string | null> {
    if (this.#previous === null) return null;
    const written = await this.#attempt.directory.write('memory.high', formatLimit(this.#previous));
    return written.ok ? null : `memory.high could not be set back to ${this.#previous}: ${written.reason}`;
  }
}

/** Everything but the limit. memory.high obeys the rule of the limit, because below usage it stalls. */
async function applyOthers(attempt: Attempt, skipped: Record<string, string>): Promise<void> {
  const { directory, request, guard } = attempt;
  const { highBytes, lowBytes, minBytes, oomGroup } = request;
  if (highBytes !== undefined) {
    const found = await inUse(directory);
    const step =
      highBytes === 'max' || !found.ok
        ? null
        : shrinkStep({ ...found.value, targetBytes: highBytes, marginBytes: guard.usageMarginBytes });
    if (step?.step === 'refuse') skipped['highBytes'] = step.reason;
    else await take('highBytes', 'memory.high', highBytes);
  }
  if (lowBytes !== undefined) await take('lowBytes', 'memory.low', lowBytes);
  if (minBytes !== undefined) await take('minBytes', 'memory.min', minBytes);
  if (oomGroup !== undefined) {
    const written = await directory.write('memory.oom.group', oomGroup ? '1' : '0');
    if (!written.ok) skipped['oomGroup'] = written.reason;
  }

  async function take(field: string, file: LimitFile, limit: ByteLimit): Promise<void> {
    const written = await directory.write(file, formatLimit(limit));
    const readBack = written.ok ? await readLimit(directory, file) : written;
    if (!readBack.ok) skipped[field] = readBack.reason;
    else if (!isReadBackOf(limit, readBack.value)) {
      skipped[field] = `${file}: wrote ${limit} and read back ${readBack.value}`;
    }
  }
}

type LimitFile = 'memory.max' | 'memory.high' | 'memory.low' | 'memory.min';

async function inUse(directory: CgroupDirectory): Promise<Answer<InUse>> {
  const events = await directory.read('memory.events');
  if (!events.ok) return events;
  const stat = await directory.read('memory.stat');
  if (!stat.ok) return stat;
  // Last, because it is what a write must not be below.
  const current = await directory.read('memory.current');
  if (!current.ok) return current;
  const usageBytes = parseCount(current.value);
  const lines = parseKeyed(stat.value);
  const [active, inactive, slab] = ['active_file', 'inactive_file', 'slab_reclaimable'].map((key) =>
    lines.get(key),
  );
  const oomKills = parseKeyed(events.value).get('oom_kill');
  if (
    usageBytes === null ||
    active === undefined ||
    inactive === undefined ||
    slab === undefined ||
    oomKills === undefined
  ) {
    // Without these figures a decrease cannot be known to be safe.
    return { ok: false, refusal: 'absent', reason: 'usage, reclaimable cache or kills cannot be read' };
  }
  return {
    ok: true,
    value: { usageBytes, workingSetBytes: Math.max(0, usageBytes - active - inactive - slab), oomKills },
  };
}
