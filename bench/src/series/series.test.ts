import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { parseSeries, partOf } from './series.ts';

describe('series', () => {
  const head = 'value,timestamp_anon,container_ip';

  it('are grouped by container and put in order', () => {
    expect(parseSeries(`${head}\n0.2,120,x\n0.5,60,y\n0.1,60,x\n`, 'f')).toEqual([
      { id: 'x', atMs: [60_000, 120_000], demand: [0.1, 0.2] },
      { id: 'y', atMs: [60_000], demand: [0.5] },
    ]);
  });

  it('lose noise at their ends, and nothing more', () => {
    expect(parseSeries(`${head}\n-0.00002,60,x\n1.0005,120,x`, 'f')[0]?.demand).toEqual([0, 1]);
  });

  it.each([
    ['time,value\n1,2', 'the columns value, timestamp_anon, container_ip are needed'],
    [`${head}\n0.1,60,x\n1.2,120,x`, 'f, line 3'],
    [`${head}\nNaN,60,x`, 'f, line 2'],
    [`${head}\n,60,x`, 'f, line 2'],
    [`${head}\n0.1,60,`, 'f, line 2'],
    [`${head}\n`, 'f: it has no rows'],
  ])('that cannot be read are refused: %j', (text, message) => {
    expect(() => parseSeries(text, 'f')).toThrow(message);
  });

  it('stay in their half', () => {
    // FNV-1a of "a" is 0xe40c292c, of "b" 0xe70c2de5.
    expect([partOf('a'), partOf('b')]).toEqual(['tuning', 'holdout']);
  });
});

describe('options', () => {
  it('need a file', () => {
    expect(parseOptions('bench:budget', ['--data', 'f', '--json'])).toEqual({ data: 'f', json: true });
    expect(() => parseOptions('bench:budget', [])).toThrow('--data is missing');
    expect(() => parseOptions('bench:budget', ['--fast'])).toThrow('usage: npm run bench:budget');
  });
});
