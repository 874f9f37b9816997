/** The live screen as data: keys change the state, and the picture fits any terminal, saying what is not known. */
import { type AgentSample, type AlertBody, agentSample } from '@nautilus/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coloursFor } from '../terminal/colour.ts';
import { renderTop, stallOf, type TopPicture } from './render.ts';
import { shownRows } from './rows.ts';
import { firstState, pressed, type TopState } from './state.ts';

const mib = 2 ** 20;
const names = ['analytics-engine', 'market-data', 'risk-engine', 'sandbox'];

function sampleAt(at: number, stalledUs: number | null = 0): AgentSample {
  const spec = { minimumBytes: mib, maximumBytes: 100 * mib, priority: 'normal', policy: 'burstable' };
  return agentSample.parse({
    host: 'h1',
    instance: 'i',
    sequence: at,
    at,
    memory: {
      totalBytes: 1000 * mib,
      availableBytes: 400 * mib,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      majorFaults: null,
      psiSomeTotalUs: stalledUs,
      psiFullTotalUs: null,
    },
    capacity: {
      managedBytes: 900 * mib,
      reservedBytes: 0,
      grantableBytes: 800 * mib,
      leasedBytes: 200 * mib,
      lingeringBytes: 0,
    },
    regions: [{ name: 'unified-main', capacityBytes: 500 * mib, leasedBytes: 200 * mib }],
    pools: [
      {
        name: 'trading',
        region: 'unified-main',
        strategy: 'slab',
        limitBytes: 100 * mib,
        leasedBytes: 50 * mib,
        liveBytes: mib,
        segments: 3,
      },
    ],
    containers: names.map((name, index) => ({
      name,
      spec,
      budgetBytes: 100 * mib,
      leasedBytes: (index + 1) * 20 * mib,
      liveBytes: mib,
      leases: 1,
      connected: true,
    })),
    segments: { live: 3, mapped: 3, kept: 0 },
    counters: {
      leases: 1,
      refusals: 0,
      expiries: 0,
      holderDeaths: 0,
      allocations: 1,
      zeroCopyOperations: {},
      bytesShared: 0,
      bytesCopied: 0,
      protocolViolations: 0,
    },
    missing: {},
  });
}

const alert: AlertBody = {
  alert: 'a',
  host: 'h1',
  signal: 'memory-pressure',
  scope: { kind: 'container', name: 'risk-engine' },
  state: 'raised',
  tier: 'critical',
  previousTier: null,
  value: 0.9,
  threshold: 0.9,
  at: 1,
  text: 'nearly\u001b[2J full '.repeat(20),
  runbook: '',
};

const picture = (more: Partial<TopPicture>): TopPicture => ({
  state: firstState,
  host: 'h1',
  samples: [sampleAt(1_000), sampleAt(2_000)],
  alerts: [],
  now: 2_500,
  columns: 80,
  rows: 24,
  colours: coloursFor({ write: () => undefined }, {}),
  ...more,
});
const press = (state: TopState, ...keys: string[]) =>
  keys.reduce((now, key) => pressed(now, key, names), state);

describe('keys', () => {
  it('choose the table, the order, a row and its details, and go back', () => {
    expect(press(firstState, '\t').view).toBe('pools');
    expect(press(firstState, '3').view).toBe('regions');
    expect(press(firstState, 's').sort).toBe('leased');
    expect(press(firstState, 'j', 'j', 'k').selected).toBe(1);
    expect(press(firstState, ...'jjjjjjjj').selected).toBe(3);
    const opened = press(firstState, '\u001b[B', '\r');
    expect(opened.opened).toBe('market-data');
    expect(press(opened, 'q')).toMatchObject({ opened: null, isOver: false });
    expect(press(firstState, 'q').isOver).toBe(true);
  });

  it('are letters while a filter is typed, and Ctrl-C always ends', () => {
    const typing = press(firstState, '/', 'r', 'q', '\u007f', 'i');
    expect(typing).toMatchObject({ filter: 'ri', isTyping: true, isOver: false });
    expect(press(typing, '\r')).toMatchObject({ filter: 'ri', isTyping: false });
    expect(press(typing, '\u001b')).toMatchObject({ filter: '', isTyping: false });
    expect(press(typing, '\u0003').isOver).toBe(true);
  });
});

describe('rows', () => {
  it('are sorted by use and filtered by name', () => {
    const sample = sampleAt(1);
    expect(shownRows(sample, firstState).map(({ name }) => name)).toEqual([...names].reverse());
    expect(shownRows(sample, { ...firstState, sort: 'name' }).map(({ name }) => name)).toEqual(names);
    expect(shownRows(sample, { ...firstState, filter: 'engine' })).toHaveLength(2);
  });
});

describe('the picture', () => {
  it('shows every container with its use, and the alerts', () => {
    const text = renderTop(picture({ alerts: [alert] }));
    for (const name of names) expect(text).toContain(name);
    expect(text).toMatch(/sandbox +80% +80MiB +100MiB/);
    expect(text).toContain('CRITICAL container risk-engine');
    expect(text).not.toContain('\u001b');
  });

  it('fits every terminal, in every state, whatever a name or a text has in it', () => {
    const keys = fc.array(
      fc.constantFrom('\t', 's', '/', 'e', '\r', 'j', 'k', '?', '1', '\u001b', '\u001b[A'),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 5, max: 60 }),
        keys,
        (columns, rows, pressedKeys) => {
          const lines = renderTop(
            picture({ columns, rows, state: press(firstState, ...pressedKeys), alerts: [alert, alert] }),
          ).split('\n');
          expect(lines.length).toBeLessThanOrEqual(rows);
          expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  it('shows no old figures as the present, and says what is not known', () => {
    const stale = renderTop(picture({ now: 60_000 }));
    expect(stale).toContain('no sample of the agent for 58 s');
    expect(stale).not.toContain('risk-engine');
    expect(renderTop(picture({ samples: [] }))).toContain('waiting for the first sample');
    expect(renderTop(picture({ samples: [sampleAt(2_000, null)] }))).toContain(
      'not measured on this machine',
    );
    expect(renderTop(picture({ alerts: { missing: 'nobody answers' } }))).toContain(
      'alerts not known: nobody answers',
    );
  });
});

describe('stallOf()', () => {
  it('is the share of the time between two samples, or not known', () => {
    expect(stallOf(sampleAt(1_000, 0), sampleAt(2_000, 250_000))).toBe(0.25);
    expect(stallOf(undefined, sampleAt(2_000, 1))).toBeNull();
    expect(stallOf(sampleAt(1_000, 9), sampleAt(2_000, 5))).toBeNull();
    expect(stallOf(sampleAt(1_000, null), sampleAt(2_000, 5))).toBeNull();
  });
});
