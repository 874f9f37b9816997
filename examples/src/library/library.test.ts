/** The small parts: the environment, the report, the faults, the pace. */
import { NautilusError } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { collect } from '../testing/collect.ts';
import { readEnvironment } from './environment.ts';
import { FaultLog } from './fault-log.ts';
import { createReport } from './report.ts';
import { every } from './ticker.ts';

describe('the environment', () => {
  it('has defaults, also for what is empty', () => {
    const usual = { servers: ['nats://127.0.0.1:4222'], host: 'h1', seedFile: null };
    expect(readEnvironment({})).toEqual(usual);
    expect(readEnvironment({ NAUTILUS_NATS__SERVERS: ' ', NAUTILUS_HOST__ID: '' })).toEqual(usual);
  });

  it.each(['nats://a:1,nats://b:2', '[nats://a:1, "nats://b:2"]', "- nats://a:1\n- 'nats://b:2'\n"])(
    'reads the servers %j',
    (text) => {
      expect(readEnvironment({ NAUTILUS_NATS__SERVERS: text }).servers).toEqual(['nats://a:1', 'nats://b:2']);
    },
  );
});

describe('the report', () => {
  it('is a JSON line', () => {
    const lines: string[] = [];
    createReport('sandbox', { write: (line: string) => lines.push(line) })('progress', { liveBytes: 1 });
    expect(lines).toEqual(['{"container":"sandbox","event":"progress","liveBytes":1}\n']);
  });
});

describe('the fault log', () => {
  const refusal = new NautilusError({
    code: 'over_budget',
    message: 'no',
    details: { asked: 3, granted: 2, available: 1, scope: 'pool' },
  });

  it('counts all, writes one of a kind in ten seconds', () => {
    const out = collect();
    let now = 0;
    const faults = new FaultLog(out.report, () => now);
    for (now of [0, 9_999, 10_000]) faults.note(refusal);
    expect(faults.total).toBe(3);
    const line = { code: 'over_budget', message: 'no', asked: 3, granted: 2, available: 1 };
    expect(out.of('error')).toEqual([line, line]);
  });

  it('throws a bug on', () => {
    expect(() => new FaultLog(collect().report).note(new TypeError('bug'))).toThrow('bug');
  });
});

describe('a ticker', () => {
  it('takes its turns one after the other until it is stopped', async () => {
    const stopping = new AbortController();
    let running = 0;
    let turns = 0;
    await every(1, stopping.signal, async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      running -= 1;
      turns += 1;
      if (turns === 5) stopping.abort();
    });
    expect([turns, running]).toEqual([5, 0]);
  });

  it('does not start when it is stopped already', async () => {
    await every(1, AbortSignal.abort(), () => expect.unreachable());
  });
});
