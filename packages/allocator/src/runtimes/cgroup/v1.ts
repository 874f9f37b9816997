/** The memory controller of cgroup v1: no pressure, no protections, and a kernel that refuses a limit below usage. */
import type { ByteLimit, Psi, ReclaimResult, Timing } from '../runtime.ts';
import { type Controller, type ControllerReading, within } from './controller.ts';
import type { Answer, CgroupDirectory } from './files.ts';
import { parseCount, parseLimit } from './parse.ts';
import { Reading } from './reading.ts';
import { limitV1 } from './v1-limit.ts';
import { withoutShmem, workingSetOf } from './v2.ts';

export const cgroupV1: Controller = {
  version: 1,
  observe,
  pressure,
  limit: limitV1,
  reclaim,
  eventsFile: 'memory.oom_control',
  whyNoNotification: 'cgroup v1 notifies through an eventfd, which Node cannot make',
};

const noPressure = 'cgroup v1 has no memory.pressure';

async function observe(directory: CgroupDirectory): Promise<ControllerReading> {
  const reading = new Reading(directory);
  const usageBytes = await reading.value('usageBytes', 'memory.usage_in_bytes', parseCount);
  const stat = await reading.keyed(
    ['workingSetBytes', 'anonBytes', 'fileBytes', 'shmemBytes', 'swapBytes'],
    'memory.stat',
  );
  const control = await reading.keyed(['oomKills'], 'memory.oom_control');
  const limitBytes = await reading.value('limitBytes', 'memory.limit_in_bytes', parseLimit);
  const both = await reading.value('swapLimitBytes', 'memory.memsw.limit_in_bytes', parseLimit);
  const shmemBytes = stat('shmemBytes', 'total_shmem');
  // Kernel memory has no reclaimable part in this memory.stat: all of it counts as needed.
  const reclaimable = ['total_active_file', 'total_inactive_file'].map((key) => stat('workingSetBytes', key));
  const swapLimitBytes: ByteLimit | null =
    both === null
      ? null
      : both === 'max'
        ? 'max'
        : typeof limitBytes === 'number'
          ? Math.max(0, both - limitBytes)
          : reading.absent('swapLimitBytes', 'memory.memsw.limit_in_bytes is set and the limit is not known');
  const none = (field: string, what: string) =>
    reading.absent(`protections.${field}`, `cgroup v1 has no ${what}`);
  const figures = {
    usageBytes,
    workingSetBytes: workingSetOf(reading, usageBytes, reclaimable),
    anonBytes: stat('anonBytes', 'total_rss'),
    fileBytes: withoutShmem(reading, stat('fileBytes', 'total_cache'), shmemBytes),
    shmemBytes,
    swapBytes: stat('swapBytes', 'total_swap'),
    limitBytes,
    swapLimitBytes,
    protections: {
      minBytes: none('minBytes', 'memory.min'),
      lowBytes: none('lowBytes', 'memory.low'),
      highBytes: none('highBytes', 'memory.high'),
      softLimitBytes: await reading.value(
        'protections.softLimitBytes',
        'memory.soft_limit_in_bytes',
        parseLimit,
      ),
      oomGroup: none('oomGroup', 'memory.oom.group'),
    },
    oomKills: control('oomKills', 'oom_kill'),
    highEvents: reading.absent('highEvents', 'cgroup v1 has no memory.high'),
    maxEvents: await reading.value('maxEvents', 'memory.failcnt', parseCount),
    psi: reading.absent('psi', noPressure),
  };
  return { figures, missing: reading.missing, goneReason: reading.goneReason };
}

function pressure(directory: CgroupDirectory): Answer<Psi> {
  if (directory.isSame()) return { ok: false, refusal: 'absent', reason: noPressure };
  return { ok: false, refusal: 'gone', reason: `${directory.path} is no longer the cgroup that it was` };
}

/** force_empty knows no amount: the kernel takes back everything it can, and swaps where there is swap. */
async function reclaim(
  directory: CgroupDirectory,
  bytes: number,
  deadlineMs: number,
  timing: Timing,
): Promise<ReclaimResult> {
  const endMs = timing.monotonic() + deadlineMs;
  const before = await directory.read('memory.usage_in_bytes');
  if (!before.ok) return nothing(before.refusal === 'gone' ? 'gone' : 'unsupported', before.reason);
  const written = await within(timing, endMs, directory.write('memory.force_empty', '0'));
  // EBUSY: something is left, as it is while processes run.
  if (written !== null && !written.ok && written.refusal !== 'busy') {
    return nothing(written.refusal === 'gone' ? 'gone' : 'unsupported', written.reason);
  }
  const after = await directory.read('memory.usage_in_bytes');
  if (!after.ok) return nothing('gone', after.reason);
  const fell = Number(before.value) - Number(after.value);
  const reason = `cgroup v1 can only reclaim all it can (force_empty); ${bytes} bytes were asked for`;
  const outcome = written === null ? 'timed-out' : fell >= bytes ? 'reclaimed' : 'short';
  if (fell >= 0) return { outcome, reclaimedBytes: fell, reason };
  return { outcome, reclaimedBytes: null, reason: `${reason}; usage grew by ${-fell} bytes meanwhile` };
}

function nothing(outcome: 'gone' | 'unsupported', reason: string): ReclaimResult {
  return { outcome, reclaimedBytes: null, reason };
}
