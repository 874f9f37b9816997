import type { AgentSample, AlertBody } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { bar, renderStatus, type StatusInput } from './status.ts';

const mib = 2 ** 20;
const spec = {
  minimumBytes: mib,
  maximumBytes: 8 * mib,
  priority: 'high',
  policy: 'burstable',
  resize: 'any-time',
  scale: null,
} as const;
const sample: AgentSample = {
  host: 'h1',
  instance: 'i',
  sequence: 1,
  at: 10_000,
  memory: {
    totalBytes: 100 * mib,
    availableBytes: 60 * mib,
    swapTotalBytes: 0,
    swapFreeBytes: 0,
    majorFaults: 0,
    psiSomeTotalUs: null,
    psiFullTotalUs: null,
  },
  capacity: {
    managedBytes: 80 * mib,
    reservedBytes: 10 * mib,
    grantableBytes: 70 * mib,
    leasedBytes: 7 * mib,
    lingeringBytes: 0,
  },
  regions: [{ name: 'main', capacityBytes: 70 * mib, leasedBytes: 7 * mib }],
  pools: [
    {
      name: 'trading',
      region: 'main',
      strategy: 'first_fit',
      limitBytes: 50 * mib,
      leasedBytes: 7 * mib,
      liveBytes: mib,
      segments: 1,
    },
  ],
  containers: [
    {
      name: 'a',
      spec,
      budgetBytes: 8 * mib,
      leasedBytes: 7 * mib,
      liveBytes: mib,
      leases: 1,
      connected: true,
    },
  ],
  segments: { live: 1, mapped: 1, kept: 0 },
  counters: {
    leases: 1,
    refusals: 0,
    expiries: 0,
    holderDeaths: 0,
    allocations: 5,
    zeroCopyOperations: {},
    bytesShared: 0,
    bytesCopied: 0,
    protocolViolations: 0,
  },
  missing: {},
};
const input: StatusInput = {
  sample,
  now: 10_500,
  services: [
    { name: 'allocator', port: 9101, ready: true, reason: null },
    { name: 'monitor', port: 9091, ready: false, reason: 'ended: port taken' },
  ],
  containers: [
    { name: 'a', isAlive: true, remark: '12 frames' },
    { name: 'b', isAlive: false, remark: '' },
  ],
  alerts: [],
  notes: ['NATS nats://127.0.0.1:1'],
  messages: [],
  columns: 120,
  rows: 50,
};

describe('renderStatus()', () => {
  it('shows pressure, services, containers, regions, pools and where to look', () => {
    const text = renderStatus(input);
    for (const part of [
      'host memory',
      '40.0MiB of 100MiB'.replace('40.0', '40'),
      'ready  http://127.0.0.1:9101/metrics',
      'NOT READY: ended: port taken',
      '12 frames',
      'b                  ENDED',
      'trading',
      'main',
      'Alerts: none',
      'NATS nats://127.0.0.1:1',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('is never taller or wider than the terminal, and keeps pressure and alerts to the last', () => {
    const alert = {
      tier: 'critical',
      scope: { kind: 'pool', name: 'trading' },
      text: 'x'.repeat(300),
    } as AlertBody;
    for (const rows of [5, 8, 12, 24]) {
      for (const columns of [40, 80]) {
        const lines = renderStatus({ ...input, alerts: [alert], rows, columns }).split('\n');
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        expect(lines.join('\n')).toContain('host memory');
        expect(lines.join('\n')).toContain('CRITICAL pool trading');
      }
    }
  });

  it('does not show old figures as the present', () => {
    const text = renderStatus({ ...input, now: 30_000 });
    expect(text).toContain('no sample of the agent for 20 s');
    expect(text).not.toContain('host memory');
  });

  it('waits for the first sample in words', () => {
    expect(renderStatus({ ...input, sample: null })).toContain('waiting for the first sample');
  });
});

describe('bar()', () => {
  it('fills by share and survives nonsense', () => {
    expect(bar(1, 2)).toBe('██████······  50%');
    expect(bar(5, 2)).toBe('████████████ 100%');
    expect(bar(1, 0)).toBe('············   0%');
  });
});
