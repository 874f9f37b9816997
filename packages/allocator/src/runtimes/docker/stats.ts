/**
 * The engine's own statistics as figures, for where the cgroup is out of sight (Docker Desktop, an engine on another
 * file system). Pure. They lack pressure, protections and events, and say so.
 */
import type { ByteLimit, Figures } from '../runtime.ts';
import type { EngineStats } from './api.ts';

export interface StatsReading {
  readonly figures: Figures;
  readonly missing: Readonly<Record<string, string>>;
}

/**
 * `whyNoCgroup`: the reason under which everything is missing that only the cgroup knows. Where nothing limits a
 * container, the engine states the memory of the machine instead.
 */
export function readStats(
  { memory_stats }: EngineStats,
  whyNoCgroup: string,
  machineBytes: number,
): StatsReading {
  const missing: Record<string, string> = {};
  const absent = (field: string, reason: string): null => {
    missing[field] = reason;
    return null;
  };
  const unknown = (field: string): null => absent(field, `the engine does not tell it, and ${whyNoCgroup}`);
  const values = memory_stats.stats ?? {};
  // v1 counts a cgroup with and without those below it; the latter is what the limit binds.
  const value = (field: string, ...keys: string[]): number | null => {
    for (const key of keys) if (values[key] !== undefined) return values[key];
    return absent(field, `the statistics of the engine have no ${keys.join(' or ')}`);
  };
  const usageBytes = memory_stats.usage ?? absent('usageBytes', 'the engine measures no running task');
  const inactive = value('workingSetBytes', 'total_inactive_file', 'inactive_file');
  const active = value('workingSetBytes', 'total_active_file', 'active_file');
  const cache = value('fileBytes', 'total_cache', 'file');
  const shmemBytes = values['total_shmem'] ?? values['shmem'] ?? null;
  if (usageBytes === null) missing['workingSetBytes'] ??= 'usage is not known';
  if (shmemBytes === null) absent('shmemBytes', 'the statistics of the engine have no shmem');
  // The kernel counts shared memory as page cache. Where it is not told, no file bytes are made up.
  if (cache !== null && shmemBytes === null) absent('fileBytes', 'its shared memory is not known');
  const figures: Figures = {
    usageBytes,
    workingSetBytes:
      usageBytes === null || inactive === null || active === null
        ? null
        : Math.max(0, usageBytes - inactive - active - (values['slab_reclaimable'] ?? 0)),
    anonBytes: value('anonBytes', 'total_rss', 'anon'),
    fileBytes: cache === null || shmemBytes === null ? null : Math.max(0, cache - shmemBytes),
    shmemBytes,
    swapBytes: values['total_swap'] ?? unknown('swapBytes'),
    limitBytes:
      limitOf(memory_stats.limit, machineBytes) ?? absent('limitBytes', 'the engine tells no limit'),
    swapLimitBytes: unknown('swapLimitBytes'),
    protections: {
      minBytes: unknown('protections.minBytes'),
      lowBytes: unknown('protections.lowBytes'),
      highBytes: unknown('protections.highBytes'),
      softLimitBytes: unknown('protections.softLimitBytes'),
      oomGroup: unknown('protections.oomGroup'),
    },
    oomKills: unknown('oomKills'),
    highEvents: unknown('highEvents'),
    maxEvents: unknown('maxEvents'),
    psi: unknown('psi'),
  };
  return { figures, missing };
}

function limitOf(bytes: number | undefined, machineBytes: number): ByteLimit | null {
  if (bytes === undefined) return null;
  return bytes >= machineBytes ? 'max' : bytes;
}
