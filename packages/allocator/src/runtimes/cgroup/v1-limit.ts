/**
 * Setting limits on cgroup v1. The kernel reclaims and then says EBUSY instead of killing; what takes care is the pair
 * of limits: memory and swap together (memsw) may never be below memory alone, so the order of writes differs.
 */
import type { ByteLimit, LimitGuard, LimitOutcome, LimitRequest, LimitResult, Timing } from '../runtime.ts';
import { outcomeOf, within } from './controller.ts';
import type { Answer, CgroupDirectory } from './files.ts';
import { isBelow, isReadBackOf, parseCount, parseKeyed } from './parse.ts';
import { readLimit } from './reading.ts';
import { shrinkStep } from './shrink.ts';

type LimitFile = 'memory.limit_in_bytes' | 'memory.memsw.limit_in_bytes' | 'memory.soft_limit_in_bytes';

interface Attempt {
  readonly directory: CgroupDirectory;
  readonly guard: LimitGuard;
  readonly timing: Timing;
  readonly endMs: number;
  readonly target: ByteLimit;
  readonly before: ByteLimit;
  /** Null: this kernel does not account swap. */
  readonly memswBefore: ByteLimit | null;
}

interface Ending {
  readonly outcome: LimitOutcome;
  readonly reason: string;
}

export async function limitV1(
  directory: CgroupDirectory,
  request: LimitRequest,
  guard: LimitGuard,
  timing: Timing,
): Promise<LimitResult> {
  const before = await readLimit(directory, 'memory.limit_in_bytes');
  if (!before.ok) {
    return { outcome: outcomeOf(before.refusal), readBackBytes: null, reason: before.reason, skipped: {} };
  }
  const memsw = await readLimit(directory, 'memory.memsw.limit_in_bytes');
  const attempt: Attempt = {
    directory,
    guard,
    timing,
    endMs: timing.monotonic() + guard.deadlineMs,
    target: request.limitBytes,
    before: before.value,
    memswBefore: memsw.ok ? memsw.value : null,
  };
  const skipped: Record<string, string> = {};
  const lowers = isBelow(request.limitBytes, before.value);
  const ending = lowers ? await lower(attempt, skipped) : await raise(attempt);
  if (ending.outcome === 'applied') await applyOthers(directory, request, skipped);
  const readBack = await readLimit(directory, 'memory.limit_in_bytes');
  return { ...ending, readBackBytes: readBack.ok ? readBack.value : null, skipped };
}

/** memsw first: memory alone may not exceed it at any instant. */
async function raise(attempt: Attempt): Promise<Ending> {
  const { memswBefore, target } = attempt;
  const memsw = memswFor(attempt);
  const widens = memsw !== null && memswBefore !== null && isBelow(memswBefore, memsw);
  if (widens) {
    const raised = await put(attempt, 'memory.memsw.limit_in_bytes', memsw);
    if (raised !== null) return raised;
  }
  const refused = await put(attempt, 'memory.limit_in_bytes', target);
  if (refused === null) return applied(attempt);
  if (widens) {
    const restored = await put(attempt, 'memory.memsw.limit_in_bytes', memswBefore);
    if (restored !== null) return { ...refused, reason: `${refused.reason}; and ${restored.reason}` };
  }
  return refused;
}

/** Memory first, memsw after it. Usage is looked at although the kernel would refuse, because it reclaims before. */
async function lower(attempt: Attempt, skipped: Record<string, string>): Promise<Ending> {
  const { directory, guard, memswBefore } = attempt;
  const found = await workingSet(directory);
  if (!found.ok) return { outcome: outcomeOf(found.refusal), reason: found.reason };
  const step = shrinkStep({
    usageBytes: found.value,
    workingSetBytes: found.value,
    targetBytes: Number(attempt.target),
    marginBytes: guard.usageMarginBytes,
  });
  if (step.step === 'refuse') return { outcome: 'refused', reason: step.reason };
  const refused = await put(attempt, 'memory.limit_in_bytes', attempt.target);
  if (refused !== null) return refused;
  const memsw = memswFor(attempt);
  if (memsw !== null && memswBefore !== null && isBelow(memsw, memswBefore)) {
    const kept = await put(attempt, 'memory.memsw.limit_in_bytes', memsw);
    // More swap than before is allowed, less memory than before is: the limit that was asked for stands.
    if (kept !== null) skipped['swap'] = `memory.memsw.limit_in_bytes stays ${memswBefore}: ${kept.reason}`;
  }
  return applied(attempt);
}

/** As much swap beside the new limit as beside the old one. Null: leave it alone. */
function memswFor({ target, before, memswBefore }: Attempt): ByteLimit | null {
  if (memswBefore === null || memswBefore === 'max') return null;
  if (target === 'max') return 'max';
  return target + (before === 'max' ? 0 : memswBefore - before);
}

/** Null when it was taken and read back. */
async function put(attempt: Attempt, file: LimitFile, limit: ByteLimit): Promise<Ending | null> {
  const { directory, timing, endMs, guard, before, memswBefore } = attempt;
  const writing = directory.write(file, limit === 'max' ? '-1' : String(limit));
  const written = await within(timing, endMs, writing);
  if (written === null) {
    // It may still land: then what stood before is written again.
    const old = file === 'memory.limit_in_bytes' ? before : memswBefore;
    if (old !== null) {
      void writing.then(async () => await directory.write(file, old === 'max' ? '-1' : String(old)));
    }
    return { outcome: 'timed-out', reason: `${file}: the kernel did not answer in ${guard.deadlineMs} ms` };
  }
  if (!written.ok) return { outcome: outcomeOf(written.refusal), reason: written.reason };
  const readBack = await readLimit(directory, file);
  if (!readBack.ok) return { outcome: outcomeOf(readBack.refusal), reason: readBack.reason };
  if (isReadBackOf(limit, readBack.value)) return null;
  return {
    outcome: 'refused',
    reason: `${file}: wrote ${limit} and read back ${readBack.value}; someone else sets this limit too`,
  };
}

function applied({ target, before }: Attempt): Ending {
  return {
    outcome: 'applied',
    reason: `memory.limit_in_bytes is ${target} in whole pages, it was ${before}`,
  };
}

async function applyOthers(
  directory: CgroupDirectory,
  { highBytes, lowBytes, minBytes, oomGroup }: LimitRequest,
  skipped: Record<string, string>,
): Promise<void> {
  if (highBytes !== undefined) skipped['highBytes'] = 'cgroup v1 has no memory.high';
  if (minBytes !== undefined) skipped['minBytes'] = 'cgroup v1 has no memory.min';
  if (oomGroup !== undefined) skipped['oomGroup'] = 'cgroup v1 has no memory.oom.group';
  if (lowBytes === undefined) return;
  // The nearest that v1 has: when the host runs short, what is above its soft limit gives back first.
  const text = lowBytes === 'max' ? '-1' : String(lowBytes);
  const written = await directory.write('memory.soft_limit_in_bytes', text);
  const readBack = written.ok ? await readLimit(directory, 'memory.soft_limit_in_bytes') : written;
  if (!readBack.ok) skipped['lowBytes'] = readBack.reason;
  else if (!isReadBackOf(lowBytes, readBack.value)) {
    skipped['lowBytes'] = `memory.soft_limit_in_bytes: wrote ${lowBytes} and read back ${readBack.value}`;
  }
}

async function workingSet(directory: CgroupDirectory): Promise<Answer<number>> {
  const stat = await directory.read('memory.stat');
  if (!stat.ok) return stat;
  const usage = await directory.read('memory.usage_in_bytes');
  if (!usage.ok) return usage;
  const lines = parseKeyed(stat.value);
  const active = lines.get('total_active_file');
  const inactive = lines.get('total_inactive_file');
  const usageBytes = parseCount(usage.value);
  if (usageBytes === null || active === undefined || inactive === undefined) {
    return { ok: false, refusal: 'absent', reason: 'usage or page cache cannot be read' };
  }
  return { ok: true, value: Math.max(0, usageBytes - active - inactive) };
}
