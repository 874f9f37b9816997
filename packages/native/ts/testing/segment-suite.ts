// What every kind of segment must do, as one suite: a new kind is tested by one call. What a kind cannot do is
// data with a reason, so that a skipped promise is read in the report.

import { execFileSync } from 'node:child_process';
import { ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Descriptor } from '../descriptor.ts';
import {
  createSegment,
  inspectDescriptor,
  mapSegment,
  reopenReadOnly,
  type SegmentKind,
  sealFutureWrites,
  segmentKinds,
} from '../segment.ts';
import { codeOf } from './code-of.ts';

export type SegmentPromise =
  | 'cannot shrink or grow'
  | 'costs nothing before it is touched'
  | 'may exceed 4 GiB'
  | 'takes no new writers once sealed'
  | 'reserves huge pages';

export interface SegmentSuite {
  kind: SegmentKind;
  skip: Partial<Record<SegmentPromise, string>>;
}

const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

export function runSegmentSuite({ kind, skip }: SegmentSuite): void {
  const entry = segmentKinds.find((candidate) => candidate.kind === kind);

  describe(`segment of kind ${kind}`, () => {
    function promise(name: SegmentPromise, body: () => void): void {
      const reason = entry?.available === true ? skip[name] : (entry?.reason ?? 'not registered');
      if (reason === undefined) it(name, body);
      else it.skip(`${name} (skipped: ${reason})`, body);
    }

    it('is zero when it is created, and whole pages long', () => {
      using segment = createSegment({ kind, name: 'zero', bytes: pageBytes + 1 });
      using mapping = mapSegment(segment, { access: 'read-write' });
      expect(mapping.bytes).toBe(2 * pageBytes);
      expect(mapping.view(0, mapping.bytes).every((byte) => byte === 0)).toBe(true);
    });

    it('is the same memory through every descriptor and mapping', () => {
      using segment = createSegment({ kind, name: 'same', bytes: pageBytes });
      using readOnly = reopenReadOnly(segment);
      using writer = mapSegment(segment, { access: 'read-write' });
      using reader = mapSegment(readOnly, { access: 'read-only' });
      writer.view(100, 1)[0] = 42;
      expect(reader.view(100, 1)[0]).toBe(42);
      const { device, inode } = inspectDescriptor(segment);
      expect(inspectDescriptor(readOnly)).toMatchObject({ device, inode, writable: false, bytes: pageBytes });
    });

    it('stays mapped after its descriptor is closed', () => {
      const segment = createSegment({ kind, name: 'closed', bytes: pageBytes });
      using mapping = mapSegment(segment, { access: 'read-write' });
      segment.close();
      mapping.view(0, 1)[0] = 1;
      expect(mapping.view(0, 1)[0]).toBe(1);
    });

    it('cannot be mapped writable through a read-only descriptor', () => {
      using segment = createSegment({ kind, name: 'read-only', bytes: pageBytes });
      using readOnly = reopenReadOnly(segment);
      expect(codeOf(() => mapSegment(readOnly, { access: 'read-write' }))).toBe('permission_denied');
    });

    it('becomes resident by prefault', () => {
      using segment = createSegment({ kind, name: 'prefault', bytes: 64 * pageBytes });
      using mapping = mapSegment(segment, { access: 'read-write', prefault: true });
      expect(mapping.residentBytes()).toBe(64 * pageBytes);
    });

    it('refuses sizes that are none', () => {
      for (const bytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        expect(codeOf(() => createSegment({ kind, name: 'size', bytes }))).toBe('invalid_argument');
      }
    });

    promise('cannot shrink or grow', () => {
      using segment = createSegment({ kind, name: 'sealed', bytes: 4 * pageBytes });
      expect(inspectDescriptor(segment)).toMatchObject({ sealedShrink: true, sealedGrow: true });
      expect(() => ftruncateSync(segment.fd, pageBytes)).toThrow(/EPERM/);
      expect(() => ftruncateSync(segment.fd, 8 * pageBytes)).toThrow(/EPERM/);
      expect(inspectDescriptor(segment).bytes).toBe(4 * pageBytes);
    });

    promise('costs nothing before it is touched', () => {
      using segment = createSegment({ kind, name: 'untouched', bytes: 256 * pageBytes });
      using mapping = mapSegment(segment, { access: 'read-write' });
      expect(mapping.residentBytes()).toBe(0);
      mapping.view(10 * pageBytes, 1)[0] = 1;
      expect(mapping.residentBytes()).toBe(pageBytes);
    });

    promise('may exceed 4 GiB', () => {
      const gib = 2 ** 30;
      using segment = createSegment({ kind, name: 'large', bytes: 9 * gib });
      using mapping = mapSegment(segment, { access: 'read-write' });
      for (const [index, offset] of [0, 2 * gib - 8, 4 * gib - 8, 6 * gib - 8, 9 * gib - 16].entries()) {
        mapping.view(offset, 16).fill(index + 1);
        expect(mapping.view(offset + 8, 1)[0]).toBe(index + 1);
      }
      // The same bytes through two windows that overlap.
      const acrossTiles = mapping.view(3 * gib, 2 * gib);
      acrossTiles[gib] = 77;
      expect(mapping.view(4 * gib, 1)[0]).toBe(77);
      expect(mapping.view(4 * gib, 1).buffer).not.toBe(acrossTiles.buffer);
      expect(mapping.view(0, 1).buffer).toBe(mapping.view(4 * gib - 1, 1).buffer);
      expect(codeOf(() => mapping.view(gib, 4 * gib))).toBe('too_large');
      expect(codeOf(() => mapping.view(9 * gib - 1, 2))).toBe('invalid_argument');
      expect(mapping.residentBytes()).toBeLessThan(gib);
    });

    promise('takes no new writers once sealed', () => {
      using segment = createSegment({ kind, name: 'grant', bytes: pageBytes });
      using owner = mapSegment(segment, { access: 'read-write' });
      expect(sealFutureWrites(segment)).toEqual({ sealed: true, reason: null });
      expect(inspectDescriptor(segment).sealedWrite).toBe(true);
      owner.view(0, 1)[0] = 9;
      // Root can reopen the memory for writing through /proc, and still cannot write or map it.
      using reopened = Descriptor.adopt(openSync(`/proc/self/fd/${segment.fd}`, 'r+'));
      expect(inspectDescriptor(reopened).writable).toBe(true);
      expect(codeOf(() => mapSegment(reopened, { access: 'read-write' }))).toBe('permission_denied');
      expect(codeOf(() => mapSegment(segment, { access: 'read-write' }))).toBe('permission_denied');
      expect(() => writeSync(reopened.fd, Buffer.from([1]), 0, 1, 0)).toThrow(/EPERM/);
      const byte = Buffer.alloc(1);
      readSync(reopened.fd, byte, 0, 1, 0);
      expect(byte[0]).toBe(9);
    });

    promise('reserves huge pages', () => {
      using segment = createSegment({ kind, name: 'huge', bytes: 1, hugePages: true });
      using mapping = mapSegment(segment, { access: 'read-write' });
      expect(mapping.bytes).toBeGreaterThan(pageBytes);
      mapping.view(0, 1)[0] = 1;
    });
  });
}
