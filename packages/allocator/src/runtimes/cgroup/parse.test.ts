import { describe, expect, it } from 'vitest';
import { isBelow, isReadBackOf, parseKeyed, parseLimit, parsePsi } from './parse.ts';

describe('parsing what the kernel writes', () => {
  it.each([
    ['max\n', 'max'],
    ['536870912\n', 536_870_912],
    ['0\n', 0],
    ['9223372036854771712\n', 'max'],
    ['', null],
    ['-1\n', null],
    ['12 34\n', null],
    ['1e6', null],
  ])('limit %j is %j', (text, limit) => expect(parseLimit(text)).toBe(limit));

  it('reads keyed lines and leaves out what is no number', () => {
    const values = parseKeyed('low 0\nhigh 12\nnonsense\nmax many\noom_kill 3\n');
    expect([...values]).toEqual([
      ['low', 0],
      ['high', 12],
      ['oom_kill', 3],
    ]);
  });

  it('reads both totals of PSI or neither', () => {
    const some = 'some avg10=1.00 avg60=0.50 avg300=0.10 total=123456\n';
    expect(parsePsi(`${some}full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n`)).toEqual({
      someTotalUs: 123_456,
      fullTotalUs: 99,
    });
    expect(parsePsi(some)).toBeNull();
    expect(parsePsi('')).toBeNull();
  });

  it.each([
    [8_193, 8_192, true],
    [8_192, 8_192, true],
    [8_191, 8_192, false],
    [1_000_000, 0, false],
    ['max', 'max', true],
    ['max', 8_192, false],
    [8_192, 'max', false],
    [8_192, null, false],
  ] as const)('wrote %j and read back %j: %j', (written, readBack, isTaken) =>
    expect(isReadBackOf(written, readBack)).toBe(isTaken),
  );

  it.each([
    [1, 2, true],
    [2, 2, false],
    [2, 'max', true],
    ['max', 2, false],
    ['max', 'max', false],
  ] as const)('%j is below %j: %j', (one, other, isIt) => expect(isBelow(one, other)).toBe(isIt));
});
