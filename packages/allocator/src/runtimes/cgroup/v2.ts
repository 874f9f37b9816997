/** The memory controller of cgroup v2. */
import type { Psi, ReclaimResult, Timing } from '../runtime.ts';
import { type Controller, type ControllerReading, within } from './controller.ts';
import type { Answer, CgroupDirectory } from './files.ts';
import { parseCount, parseLimit, parsePsi } from './parse.ts';
import { Reading } from './reading.ts';
import { limitV2 } from './v2-limit.ts';

/** One write to memory.reclaim works off this much, so that a deadline is kept and a signal is not needed. */
export const reclaimChunkBytes = 8 * 1024 * 1024;

export const cgroupV2: Controller = {
  version: 2,
  observe,
  pressure,
  limit: limitV2,
  reclaim,
  eventsFile: 'memory.events',
  whyNoNotification: null,
};

async function observe(directory: CgroupDirectory): Promise<ControllerReading> {
  const reading = new Reading(directory);
  const usageBytes = await reading.value('usageBytes', 'memory.current', parseCount);
  const stat = await reading.keyed(
    ['workingSetBytes', 'anonBytes', 'fileBytes', 'shmemBytes'],
    'memory.stat',
  );
  const events = await reading.keyed(['oomKills', 'highEvents', 'maxEvents'], 'memory.events');
  const file = stat('fileBytes', 'file');
  const shmemBytes = stat('shmemBytes', 'shmem');
  const reclaimable = ['active_file', 'inactive_file', 'slab_reclaimable'].map((key) =>
    stat('workingSetBytes', key),
  );
  const limit = async (field: string, name: 'min' | 'low' | 'high' | 'max' | 'swap.max') =>
    await reading.value(field, `memory.${name}`, parseLimit);
  const figures = {
    usageBytes,
    workingSetBytes: workingSetOf(reading, usageBytes, reclaimable),
    anonBytes: stat('anonBytes', 'anon'),
    fileBytes: withoutShmem(reading, file, shmemBytes),
    shmemBytes,
    swapBytes: await reading.value('swapBytes', 'memory.swap.current', parseCount),
    limitBytes: await limit('limitBytes', 'max'),
    swapLimitBytes: await limit('swapLimitBytes', 'swap.max'),
    protections: {
      minBytes: await limit('protections.minBytes', 'min'),
      lowBytes: await limit('protections.lowBytes', 'low'),
      highBytes: await limit('protections.highBytes', 'high'),
      softLimitBytes: reading.absent('protections.softLimitBytes', 'cgroup v2 has no soft limit'),
      oomGroup: await reading.value('protections.oomGroup', 'memory.oom.group', parseSwitch),
    },
    oomKills: events('oomKills', 'oom_kill'),
    highEvents: events('highEvents', 'high'),
    maxEvents: events('maxEvents', 'max'),
    psi: await reading.value('psi', 'memory.pressure', parsePsi),
  };
  return { figures, missing: reading.missing, goneReason: reading.goneReason };
}

/** The files are read one after the other: usage may have fallen in between, and is never less than nothing. */
export function workingSetOf(
  reading: Reading,
  usageBytes: number | null,
  reclaimable: readonly (number | null)[],
): number | null {
  if (usageBytes === null) return reading.absent('workingSetBytes', 'usage is not known');
  let bytes = usageBytes;
  for (const part of reclaimable) {
    if (part === null) return null;
    bytes -= part;
  }
  return Math.max(0, bytes);
}

/** The kernel counts shared memory as page cache, although only swap can take it back. */
export function withoutShmem(reading: Reading, file: number | null, shmem: number | null): number | null {
  if (file === null) return null;
  if (shmem === null) return reading.absent('fileBytes', 'its shared memory is not known');
  return Math.max(0, file - shmem);
}

function parseSwitch(text: string): boolean | null {
  const value = parseCount(text);
  return value === null ? null : value !== 0;
}

function pressure(directory: CgroupDirectory): Answer<Psi> {
  const text = directory.readNow('memory.pressure');
  if (!text.ok) return text;
  const psi = parsePsi(text.value);
  if (psi !== null) return { ok: true, value: psi };
  return { ok: false, refusal: 'invalid', reason: 'memory.pressure: has no totals of some and full' };
}

async function reclaim(
  directory: CgroupDirectory,
  bytes: number,
  deadlineMs: number,
  timing: Timing,
): Promise<ReclaimResult> {
  const endMs = timing.monotonic() + deadlineMs;
  const before = await usageOf(directory);
  if (!before.ok) return nothing(before.refusal === 'gone' ? 'gone' : 'unsupported', before.reason);
  for (let leftBytes = bytes; leftBytes > 0; leftBytes -= reclaimChunkBytes) {
    const chunkBytes = Math.min(leftBytes, reclaimChunkBytes);
    const late = `the deadline of ${deadlineMs} ms passed with ${leftBytes} of ${bytes} bytes to go`;
    if (timing.monotonic() >= endMs) return await fallen(directory, before.value, 'timed-out', late);
    const written = await within(timing, endMs, directory.write('memory.reclaim', String(chunkBytes)));
    if (written === null) return await fallen(directory, before.value, 'timed-out', late);
    if (written.ok) continue;
    if (written.refusal === 'gone') return nothing('gone', written.reason);
    if (written.refusal === 'short') {
      return await fallen(directory, before.value, 'short', written.reason);
    }
    return nothing('unsupported', written.reason);
  }
  return await fallen(directory, before.value, 'reclaimed', `the kernel reclaimed ${bytes} bytes`);
}

async function usageOf(directory: CgroupDirectory): Promise<Answer<number>> {
  const text = await directory.read('memory.current');
  return text.ok ? { ok: true, value: Number(text.value) } : text;
}

function nothing(outcome: 'gone' | 'unsupported', reason: string): ReclaimResult {
  return { outcome, reclaimedBytes: null, reason };
}

async function fallen(
  directory: CgroupDirectory,
  beforeBytes: number,
  outcome: 'reclaimed' | 'short' | 'timed-out',
  reason: string,
): Promise<ReclaimResult> {
  const after = await usageOf(directory);
  if (!after.ok) return nothing('gone', after.reason);
  const reclaimedBytes = beforeBytes - after.value;
  return reclaimedBytes >= 0
    ? { outcome, reclaimedBytes, reason }
    : {
        outcome,
        reclaimedBytes: null,
        reason: `${reason}; usage grew by ${-reclaimedBytes} bytes meanwhile`,
      };
}
