/**
 * Follows containers and their memory events. Looking again at a fixed pace is what is relied on; notifications of the
 * kernel only make it look sooner, so that a lost one costs time and not the truth.
 */
import type { ContainerChange, ContainerRef, RuntimeWatch, Timing, WatchOptions } from '../runtime.ts';
import type { Controller } from './controller.ts';
import type { CgroupDirectory, CgroupFiles } from './files.ts';
import { parseCount, parseKeyed } from './parse.ts';

/** The kernel may notify a hundred times a second for each cgroup; what comes within this is told together. */
const leastGapMs = 20;

export interface WatchedCgroups {
  readonly files: CgroupFiles;
  readonly timing: Timing;
  readonly parent: string;
  readonly pollMs: number;
  readonly controller: Controller;
  list(): Promise<readonly ContainerRef[]>;
  directoryOf(id: string): CgroupDirectory | null;
}

interface Counts {
  readonly oomKills: number;
  readonly highEvents: number | null;
  readonly maxEvents: number | null;
}

interface Followed {
  readonly container: ContainerRef;
  readonly directory: CgroupDirectory;
  readonly stopNotifying: () => void;
  counts: Counts | null;
}

export function watchCgroups(
  cgroups: WatchedCgroups,
  onChange: (change: ContainerChange) => void,
  { onError }: WatchOptions,
): RuntimeWatch {
  const { files, timing, parent, pollMs, controller } = cgroups;
  const ended = new AbortController();
  const followed = new Map<string, Followed>();
  let wake = new AbortController();
  const lookSooner = (): void => wake.abort();
  const parentNotice = tryNotify(() => files.notify(parent, null, lookSooner));

  async function look(): Promise<void> {
    const containers = await cgroups.list();
    const present = new Map(containers.map((container) => [container.id, container]));
    for (const [id, { container, stopNotifying }] of followed) {
      if (present.get(id)?.incarnation === container.incarnation) continue;
      stopNotifying();
      followed.delete(id);
      onChange({ kind: 'vanished', container });
    }
    for (const container of containers) {
      const directory = cgroups.directoryOf(container.id);
      if (directory === null || directory.incarnation !== container.incarnation) continue;
      const known = followed.get(container.id) ?? follow(container, directory);
      const counts = await countsOf(controller, known.directory);
      if (counts === null) continue;
      tell(known, counts);
    }
  }

  function follow(container: ContainerRef, directory: CgroupDirectory): Followed {
    const notice =
      controller.whyNoNotification === null ? directory.notify(controller.eventsFile, lookSooner) : null;
    const entry: Followed = {
      container,
      directory,
      stopNotifying: notice?.ok === true ? notice.value : () => undefined,
      counts: null,
    };
    followed.set(container.id, entry);
    onChange({ kind: 'appeared', container });
    return entry;
  }

  /** What was counted before the container was first seen is not news. */
  function tell(entry: Followed, counts: Counts): void {
    const before = entry.counts;
    entry.counts = counts;
    if (before === null) return;
    const change = {
      kind: 'memory-events' as const,
      container: entry.container,
      oomKills: counts.oomKills - before.oomKills,
      highEvents: difference(counts.highEvents, before.highEvents),
      maxEvents: difference(counts.maxEvents, before.maxEvents),
    };
    if (change.oomKills > 0 || (change.highEvents ?? 0) > 0 || (change.maxEvents ?? 0) > 0) onChange(change);
  }

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      wake = new AbortController();
      try {
        await look();
      } catch (error) {
        onError(error);
      }
      await pause(leastGapMs, ended.signal);
      await pause(pollMs, AbortSignal.any([ended.signal, wake.signal]));
    }
  }

  async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await timing.sleep(delayMs, signal);
    } catch (error) {
      // A sleep that was taken back ends early, which is what is wanted.
      if (!signal.aborted) throw error;
    }
  }

  const running = run();
  return {
    source:
      controller.whyNoNotification === null && parentNotice !== null
        ? `notifications of the kernel, and a look every ${pollMs} ms`
        : `a look every ${pollMs} ms: ${controller.whyNoNotification ?? 'the parent cannot be watched'}`,
    async stop() {
      ended.abort();
      await running;
      parentNotice?.();
      for (const { stopNotifying } of followed.values()) stopNotifying();
    },
  };
}

/** Null where the system does not notify: the pace of looking is then all there is. */
function tryNotify(begin: () => () => void): (() => void) | null {
  try {
    return begin();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return null;
  }
}

async function countsOf(controller: Controller, directory: CgroupDirectory): Promise<Counts | null> {
  const text = await directory.read(controller.eventsFile);
  if (!text.ok) return null;
  const values = parseKeyed(text.value);
  const oomKills = values.get('oom_kill');
  if (oomKills === undefined) return null;
  if (controller.version === 2) {
    return { oomKills, highEvents: values.get('high') ?? null, maxEvents: values.get('max') ?? null };
  }
  const failures = await directory.read('memory.failcnt');
  return { oomKills, highEvents: null, maxEvents: failures.ok ? parseCount(failures.value) : null };
}

function difference(now: number | null, before: number | null): number | null {
  return now === null || before === null ? null : now - before;
}
