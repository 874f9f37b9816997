/** The live picture in the terminal, as text from data. */
import { type AgentSample, type AlertBody, formatBytes } from '@nautilus/contracts';

export interface StatusInput {
  readonly sample: AgentSample | null;
  readonly alerts: readonly AlertBody[];
  readonly urls: readonly string[];
  /** Container name → one short remark, e.g. frames verified. */
  readonly remarks: ReadonlyMap<string, string>;
  readonly columns: number;
}

const barWidth = 20;

export function bar(part: number, whole: number): string {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
  const filled = Math.round(share * barWidth);
  return `${'█'.repeat(filled)}${'·'.repeat(barWidth - filled)} ${String(Math.round(share * 100)).padStart(3)}%`;
}

function row(name: string, used: number, limit: number, note: string): string {
  return `  ${name.padEnd(20)} ${bar(used, limit)}  ${formatBytes(used).padStart(8)} of ${formatBytes(limit).padStart(8)}  ${note}`;
}

export function renderStatus({ sample, alerts, urls, remarks, columns }: StatusInput): string {
  if (sample === null) return 'waiting for the first sample of the agent …\n';
  const { memory, capacity } = sample;
  const used = memory.totalBytes - memory.availableBytes;
  const lines = [
    `Nautilus Memory · host ${sample.host} · ${sample.segments.live} segments · Ctrl-C drains everything`,
    '',
    row('host memory', used, memory.totalBytes, 'in use by everything on the machine'),
    row(
      'leases',
      capacity.leasedBytes + capacity.lingeringBytes,
      capacity.grantableBytes,
      'of what containers may have',
    ),
    '',
    'Regions',
    ...sample.regions.map((region) => row(region.name, region.leasedBytes, region.capacityBytes, '')),
    '',
    'Pools',
    ...sample.pools.map((pool) =>
      row(
        pool.name,
        pool.leasedBytes,
        pool.limitBytes,
        `${formatBytes(pool.liveBytes)} live, ${pool.strategy}`,
      ),
    ),
    '',
    'Containers',
    ...sample.containers
      .filter((container) => container.connected || container.leasedBytes > 0)
      .map((container) =>
        row(container.name, container.leasedBytes, container.budgetBytes, remarks.get(container.name) ?? ''),
      ),
    '',
    alerts.length === 0 ? 'Alerts: none' : 'Alerts',
    ...alerts.map(
      (alert) =>
        `  ${alert.tier.toUpperCase().padEnd(9)} ${alert.scope.kind} ${alert.scope.name}: ${alert.text}`,
    ),
    '',
    ...urls,
  ];
  return `${lines.map((line) => line.slice(0, columns)).join('\n')}\n`;
}
