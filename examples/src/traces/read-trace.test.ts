/** What a trace file may hold, and what is said of one that holds something else. */
import { describe, expect, it } from 'vitest';
import { recordsOf, type TestRecord } from '../testing/records.ts';
import { readTrace } from './read-trace.ts';

describe('a trace', () => {
  it('answers its events in order', () => {
    const trace = readTrace('t', recordsOf([0, 0, 24], [0, 1, 2 ** 33], [1, 0, 0]));
    expect([trace.events, trace.blocks]).toEqual([3, 2]);
    expect([trace.isAllocation(0), trace.id(1), trace.size(1)]).toEqual([true, 1, 2 ** 33]);
    expect([trace.isAllocation(2), trace.id(2), trace.size(2)]).toEqual([false, 0, 0]);
  });

  it('may begin anywhere in a buffer', () => {
    const records = recordsOf([0, 0, 7]);
    const shifted = new Uint8Array(records.length + 1);
    shifted.set(records, 1);
    expect(readTrace('t', shifted.subarray(1)).size(0)).toBe(7);
  });

  it.each<[string, readonly TestRecord[], string]>([
    [
      'an unknown operation',
      [[2, 0, 1]],
      'trace t, record 0: operation 2, known are 0 (allocate) and 1 (free)',
    ],
    ['an id that skips', [[0, 1, 8]], 'trace t, record 0: ids are dense: the next one is 0, found 1'],
    [
      'an id used again',
      [
        [0, 0, 8],
        [1, 0, 0],
        [0, 0, 8],
      ],
      'trace t, record 2: block 0 is allocated a second time',
    ],
    [
      'nothing allocated',
      [[0, 0, 0]],
      'trace t, record 0: block 0 has 0 bytes, possible are 1 to 140737488355328',
    ],
    ['a free of nothing', [[1, 4, 0]], 'trace t, record 0: block 4 is freed but was never allocated'],
    [
      'a double free',
      [
        [0, 0, 8],
        [1, 0, 0],
        [1, 0, 0],
      ],
      'trace t, record 2: block 0 is freed twice',
    ],
    [
      'a free with a size',
      [
        [0, 0, 8],
        [1, 0, 8],
      ],
      'trace t, record 1: a free has no size, found 8 for block 0',
    ],
  ])('refuses %s', (_name, records, message) => {
    expect(() => readTrace('t', recordsOf(...records))).toThrow(message);
  });

  it.each([0, 17])('refuses %i bytes', (bytes) => {
    expect(() => readTrace('t', new Uint8Array(bytes))).toThrow(
      `trace t: ${bytes} bytes are not whole records of 16 bytes`,
    );
  });
});
