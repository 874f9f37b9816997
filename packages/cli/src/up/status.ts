/** The live picture in the terminal, as text from data: never taller or wider than the terminal, the least needed part goes first. */
import { type AgentSample, type AlertBody, formatBytes } from '@nautilus/contracts';

export interface ServiceLine {
  readonly name: string;
  readonly port: number;
  readonly ready: boolean;
  readonly reason: string | null;
}

export interface StatusInput {
  readonly sample: AgentSample | null;
  /** Unix milliseconds. */
  readonly now: number;
  readonly services: readonly ServiceLine[];
  readonly containers: readonly {
    readonly name: string;
    readonly isAlive: boolean;
    readonly remark: string;
  }[];
  readonly alerts: readonly AlertBody[];
  readonly notes: readonly string[];
  readonly messages: readonly string[];
  readonly columns: number;
  readonly rows: number;
}

/** Figures older than this are not shown: they would look like the present. */
export const staleMs = 5_000;
const barWidth = 12;

export function bar(part: number, whole: number): string {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
  const filled = Math.round(share * barWidth);
  return `${'█'.repeat(filled)}${'·'.repeat(barWidth - filled)} ${String(Math.round(share * 100)).padStart(3)}%`;
}

function gauge(name: string, used: number, limit: number, note: string): string {
  return `  ${name.padEnd(18)} ${bar(used, limit)} ${formatBytes(used).padStart(8)} of ${formatBytes(limit).padEnd(8)} ${note}`.trimEnd();
}

/** A titled part of the picture; `rank` 0 is never left out. */
interface Section {
  readonly rank: number;
  readonly lines: readonly string[];
}

export function renderStatus(input: StatusInput): string {
  const { sample, now, rows, columns } = input;
  const age = sample === null ? null : now - sample.at;
  const fresh = sample !== null && age !== null && age <= staleMs ? sample : null;
  const sections: Section[] = [
    {
      rank: 0,
      lines: [`Nautilus Memory${sample === null ? '' : ` · host ${sample.host}`} · Ctrl-C drains everything`],
    },
    { rank: 0, lines: fresh === null ? [noSample(age)] : pressure(fresh) },
    { rank: 0, lines: alertLines(input.alerts) },
    { rank: 1, lines: ['Services', ...input.services.map(serviceLine)] },
    {
      rank: 2,
      lines: ['Containers', ...input.containers.map((container) => containerLine(container, fresh))],
    },
    {
      rank: 4,
      lines:
        fresh === null
          ? []
          : [
              'Regions',
              ...fresh.regions.map((region) =>
                gauge(region.name, region.leasedBytes, region.capacityBytes, ''),
              ),
            ],
    },
    {
      rank: 3,
      lines:
        fresh === null
          ? []
          : [
              'Pools',
              ...fresh.pools.map((pool) =>
                gauge(pool.name, pool.leasedBytes, pool.limitBytes, `${formatBytes(pool.liveBytes)} live`),
              ),
            ],
    },
    { rank: 5, lines: [...input.notes] },
    { rank: 0, lines: [...input.messages] },
  ];
  return fit(sections, rows)
    .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line))
    .join('\n');
}

/** Leaves whole sections out, highest rank first, until the rest fits; then cuts what is still too much. */
function fit(sections: readonly Section[], rows: number): string[] {
  const ranks = [5, 4, 3, 2, 1];
  let kept = sections.filter(({ lines }) => lines.length > 0);
  const height = () => kept.reduce((sum, { lines }) => sum + lines.length, 0);
  for (const rank of ranks) {
    if (height() <= rows) break;
    kept = kept.filter((section) => section.rank !== rank);
  }
  return kept.flatMap(({ lines }) => lines).slice(0, rows);
}

function noSample(ageMs: number | null): string {
  return ageMs === null
    ? 'waiting for the first sample of the agent …'
    : `no sample of the agent for ${Math.round(ageMs / 1000)} s: figures are not shown`;
}

function pressure({ memory, capacity, segments }: AgentSample): string[] {
  const used = memory.totalBytes - memory.availableBytes;
  return [
    'Pressure',
    gauge('host memory', used, memory.totalBytes, 'everything on the machine'),
    gauge(
      'leases',
      capacity.leasedBytes + capacity.lingeringBytes,
      capacity.grantableBytes,
      `${segments.live} segments`,
    ),
  ];
}

function alertLines(alerts: readonly AlertBody[]): string[] {
  if (alerts.length === 0) return ['Alerts: none'];
  return alerts.map(({ tier, scope, text }) => `${tier.toUpperCase()} ${scope.kind} ${scope.name}: ${text}`);
}

function serviceLine({ name, port, ready, reason }: ServiceLine): string {
  return `  ${name.padEnd(13)} ${ready ? 'ready' : `NOT READY: ${reason}`}  http://127.0.0.1:${port}/metrics`;
}

function containerLine(
  { name, isAlive, remark }: StatusInput['containers'][number],
  sample: AgentSample | null,
): string {
  const found = sample?.containers.find((container) => container.name === name);
  if (!isAlive) return `  ${name.padEnd(18)} ENDED`;
  return found === undefined
    ? `  ${name.padEnd(18)} ${remark}`
    : gauge(name, found.leasedBytes, found.budgetBytes, remark);
}
