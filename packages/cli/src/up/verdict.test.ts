import { describe, expect, it } from 'vitest';
import { type ContainerEvidence, type Evidence, failed, judge } from './verdict.ts';

const ready = { ready: true, reason: null, scraped: true };
const writer: ContainerEvidence = {
  leasedBytes: 1,
  allocations: 1,
  bytesCopied: 0,
  framesVerified: null,
  checksumErrors: 0,
  readInPlace: null,
  ended: null,
};
const reader: ContainerEvidence = { ...writer, framesVerified: 9, readInPlace: true };
const sample = {
  segments: { live: 3 },
  counters: { bytesShared: 5, bytesCopied: 0, allocations: 7 },
} as Evidence['sample'];
const good: Evidence = {
  services: { allocator: ready },
  containers: { writer, reader },
  sample,
  alerts: 0,
  reclaimedAfterKillMs: 12,
  reclaimedBytes: 4096,
};

describe('judge()', () => {
  it('is content with good evidence', () => {
    expect(judge(good)).toMatchObject({
      ok: true,
      problems: [],
      segments: 3,
      bytesShared: 5,
      allocations: 7,
    });
  });

  const cases: [string, Evidence, RegExp][] = [
    [
      'a service that is not ready',
      { ...good, services: { allocator: { ...ready, ready: false, reason: 'no NATS' } } },
      /allocator is not ready: no NATS/,
    ],
    [
      'a service that cannot be scraped',
      { ...good, services: { allocator: { ...ready, scraped: false } } },
      /cannot be scraped/,
    ],
    [
      'a container without a lease',
      { ...good, containers: { writer: { ...writer, leasedBytes: 0 } } },
      /writer leased nothing/,
    ],
    [
      'a container that allocated nothing',
      { ...good, containers: { writer: { ...writer, allocations: 0 } } },
      /allocated nothing/,
    ],
    [
      'a container that ended',
      { ...good, containers: { writer: { ...writer, ended: 'out of luck' } } },
      /writer ended: out of luck/,
    ],
    [
      'a reader without frames',
      { ...good, containers: { reader: { ...reader, framesVerified: 0 } } },
      /verified no frame/,
    ],
    [
      'a reader that saw nothing appear in place',
      { ...good, containers: { reader: { ...reader, readInPlace: false } } },
      /appear in its mapping/,
    ],
    [
      'a wrong checksum',
      { ...good, containers: { reader: { ...reader, checksumErrors: 2 } } },
      /2 wrong checksums/,
    ],
    [
      'copied bytes',
      { ...good, containers: { reader: { ...reader, bytesCopied: 7 } } },
      /7 bytes were copied/,
    ],
    ['no sample', { ...good, sample: null }, /no sample/],
    ['memory that did not come back', { ...good, reclaimedAfterKillMs: null }, /did not come back/],
    ['memory that came back late', { ...good, reclaimedAfterKillMs: 101 }, /101 ms, later than 100 ms/],
  ];
  for (const [what, evidence, problem] of cases) {
    it(`is not content with ${what}`, () => {
      const verdict = judge(evidence);
      expect(verdict.ok).toBe(false);
      expect(verdict.problems.join('\n')).toMatch(problem);
    });
  }
});

describe('failed()', () => {
  it('has the fields of every verdict', () => {
    expect(Object.keys(failed('x')).sort()).toEqual(Object.keys(judge(good)).sort());
    expect(failed('x')).toMatchObject({ ok: false, problems: ['x'] });
  });
});
