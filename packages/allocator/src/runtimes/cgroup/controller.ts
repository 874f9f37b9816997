/** What a version of cgroups can be asked about one cgroup; the engine runtime uses it for its containers as well. */
import type {
  Figures,
  LimitGuard,
  LimitRequest,
  LimitResult,
  Psi,
  ReclaimResult,
  Timing,
} from '../runtime.ts';
import type { Answer, CgroupDirectory, Refusal } from './files.ts';

export interface ControllerReading {
  readonly figures: Figures;
  readonly missing: Readonly<Record<string, string>>;
  readonly goneReason: string | null;
}

export interface Controller {
  readonly version: 1 | 2;
  observe(directory: CgroupDirectory): Promise<ControllerReading>;
  pressure(directory: CgroupDirectory): Answer<Psi>;
  limit(
    directory: CgroupDirectory,
    request: LimitRequest,
    guard: LimitGuard,
    timing: Timing,
  ): Promise<LimitResult>;
  reclaim(
    directory: CgroupDirectory,
    bytes: number,
    deadlineMs: number,
    timing: Timing,
  ): Promise<ReclaimResult>;
  /** The file whose counters make the events of a container. */
  readonly eventsFile: 'memory.events' | 'memory.oom_control';
  /** Null: the kernel notifies of changes of that file. */
  readonly whyNoNotification: string | null;
}

/** A refused write of a limit, in the words of the result. */
export function outcomeOf(refusal: Refusal): 'busy' | 'gone' | 'refused' | 'unsupported' {
  switch (refusal) {
    case 'busy':
    case 'gone':
      return refusal;
    case 'short':
    case 'invalid':
    case 'failed':
      return 'refused';
    case 'absent':
    case 'denied':
    case 'off':
      return 'unsupported';
  }
}

/** The answer, or null when the deadline passes first: the kernel then still works on it. */
export async function within<T>(timing: Timing, deadlineMs: number, work: Promise<T>): Promise<T | null> {
  const enough = new AbortController();
  const late = timing.sleep(Math.max(0, deadlineMs - timing.monotonic()), enough.signal).then(
    () => null,
    // Taken back, because the work came first.
    () => null,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    enough.abort();
  }
}
