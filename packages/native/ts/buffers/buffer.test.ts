import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createArena } from '../create-arena.ts';
import { NativeError } from '../errors.ts';
import type { Mapping } from '../mapping.ts';
import { createSegment, mapSegment } from '../segment.ts';
import { codeOf } from '../testing/code-of.ts';
import { areasOf, statusBytes } from '../testing/own-memory.ts';
import { bufferIn, createBuffer } from './buffer.ts';
import { type BufferTypeName, bufferTypes } from './buffer-types.ts';
import { Imports } from './imports.ts';

const types = Object.keys(bufferTypes) as BufferTypeName[];
const inArenas = types.filter((type) => !bufferTypes[type].hasOwnSegment);
const hasProc = existsSync('/proc/self/smaps');
const odd = 100_001;

function ofArena(bytes = 2 ** 20) {
  using segment = createSegment({ name: 'buffers', bytes });
  const mapping = mapSegment(segment, { access: 'read-write' });
  return { mapping, arena: createArena({ strategy: 'best_fit', bytes }) };
}

/** Answers what a device would; no device is behind it. */
function answering(id: string, kind: string, answer: { shared: boolean; reason: string | null } | Error) {
  const seen: Mapping[] = [];
  const closed: Mapping[] = [];
  const device = {
    id,
    kind,
    import(mapping: Mapping) {
      seen.push(mapping);
      if (answer instanceof Error) throw answer;
      return { ...answer, close: () => void closed.push(mapping) };
    },
  };
  return { device, seen, closed };
}

describe('the table of buffer types', () => {
  it('has the alignments of the specification', () => {
    expect(types).toEqual(['unified', 'metal', 'coreml', 'shared', 'dma']);
    expect(types.map((type) => bufferTypes[type].alignmentBytes).slice(0, 3)).toEqual([64, 512, 256]);
    for (const type of types) {
      const { name, alignmentBytes } = bufferTypes[type];
      expect(name).toBe(type);
      expect(alignmentBytes & (alignmentBytes - 1)).toBe(0);
    }
  });
});

for (const type of types) {
  describe(`a ${type} buffer`, () => {
    const { alignmentBytes, deviceKind } = bufferTypes[type];

    it.skipIf(!hasProc)('lies at a multiple of its alignment, by the kernel', () => {
      using buffer = createBuffer({ type, bytes: odd, name: `aligned-${type}` });
      const [area, ...others] = areasOf(`/memfd:aligned-${type}`);
      expect(others).toEqual([]);
      expect(((area?.address ?? 1n) + BigInt(buffer.offset)) % BigInt(alignmentBytes)).toBe(0n);
      expect(buffer.bytes).toBe(odd);
    });

    it('is the memory that its segment gives to others, and not a copy of it', () => {
      using buffer = createBuffer({ type, bytes: odd, name: type });
      if (buffer.segment === null) throw new Error('it has no segment');
      using other = mapSegment(buffer.segment, { access: 'read-only' });
      buffer.view()[odd - 1] = 7;
      expect(other.view(odd - 1, 1)[0]).toBe(7);
    });

    it.skipIf(!hasProc)('is locked as the kernel counts it, or says why not', () => {
      const before = statusBytes('VmLck');
      using buffer = createBuffer({ type, bytes: odd, name: `locked-${type}` });
      const locked = areasOf(`/memfd:locked-${type}`)[0]?.bytes.Locked;
      expect(statusBytes('VmLck') - before).toBe(buffer.locked ? buffer.mapping.bytes : 0);
      if (type !== 'dma') expect(buffer).toMatchObject({ locked: false, lockReason: null });
      else if (buffer.locked) expect(locked).toBe(buffer.mapping.bytes);
      else expect(buffer.lockReason).toMatch(/RLIMIT_MEMLOCK/);
      // Present before the first touch, locked or not: a disk waits for no page fault.
      expect(buffer.mapping.residentBytes()).toBe(type === 'dma' ? buffer.mapping.bytes : 0);
    });

    it('answers for no device', () => {
      using buffer = createBuffer({ type, bytes: 1, name: type });
      expect(buffer.sharing).toEqual({
        shared: [],
        copied: false,
        reason:
          deviceKind === null ? 'no device was given' : `made for a ${deviceKind} device, and none was given`,
      });
      expect(buffer.on('any')).toBeNull();
    });

    it('answers for each device what happened at its import', () => {
      const kind = deviceKind ?? 'host';
      const yes = answering('yes:0', kind, { shared: true, reason: null });
      const no = answering('no:0', kind, { shared: false, reason: 'base is not aligned' });
      const lost = answering('lost:0', kind, new NativeError('out_of_memory', 'it has no room'));
      const all = createBuffer({ type, bytes: 1, name: type, devices: [yes.device] });
      expect(all.sharing).toEqual({ shared: ['yes:0'], copied: false, reason: null });
      all.close();
      const devices = [yes.device, no.device, lost.device];
      const buffer = createBuffer({ type, bytes: 1, name: type, devices });
      expect(buffer.sharing).toEqual({
        shared: ['yes:0'],
        copied: true,
        reason: 'no:0: copied, base is not aligned; lost:0: not imported, it has no room',
      });
      expect(buffer.on('yes:0')?.shared).toBe(true);
      expect(buffer.on('lost:0')).toBeNull();
      expect(no.seen).toEqual([buffer.mapping]);
      buffer.close();
      expect(no.closed).toEqual([buffer.mapping]);
      expect(codeOf(() => buffer.on('yes:0'))).toBe('closed');
    });

    it('ends once, with its memory, and is refused afterwards', () => {
      const buffer = createBuffer({ type, bytes: 100, name: `ended-${type}` });
      const view = buffer.view();
      buffer.close();
      buffer.close();
      expect(buffer.closed).toBe(true);
      expect(view).toHaveLength(0);
      expect(buffer.segment?.closed).toBe(true);
      expect(buffer.mapping.closed).toBe(true);
      if (hasProc) expect(areasOf(`/memfd:ended-${type}`)).toEqual([]);
      expect(codeOf(() => buffer.view())).toBe('closed');
    });

    it('lets nobody look beyond its end', () => {
      using buffer = createBuffer({ type, bytes: 100, name: type });
      expect(buffer.view()).toHaveLength(100);
      expect(buffer.view(40)).toHaveLength(60);
      expect(buffer.view(100)).toHaveLength(0);
      for (const [offset, length] of [
        [0, 101],
        [100, 1],
        [101, undefined],
        [-1, 1],
        [0.5, 1],
        [0, Number.NaN],
      ] as const) {
        expect(codeOf(() => buffer.view(offset, length))).toBe('invalid_argument');
      }
    });
  });
}

describe('bufferIn', () => {
  for (const type of inArenas) {
    it(`aligns ${type} blocks between odd neighbours, and keeps them apart`, () => {
      const { mapping, arena } = ofArena();
      const buffers = Array.from({ length: 40 }, (_, at) => {
        arena.allocate(1 + at * 7, 64);
        const buffer = bufferIn({ arena, mapping, type, bytes: 100 + at });
        if (buffer === null) throw new Error('nothing fitted');
        expect(buffer.offset % bufferTypes[type].alignmentBytes).toBe(0);
        expect(buffer.segment).toBeNull();
        buffer.view().fill(at);
        return buffer;
      });
      for (const [at, buffer] of buffers.entries()) {
        expect(buffer.view().every((byte) => byte === at)).toBe(true);
        expect(codeOf(() => buffer.view(0, buffer.bytes + 1))).toBe('invalid_argument');
      }
      const before = arena.stats().liveBlocks;
      for (const buffer of buffers) buffer.close();
      buffers[0]?.close();
      expect(arena.stats().liveBlocks).toBe(before - 40);
    });
  }

  it('refuses types that cannot lie beside others', () => {
    const { mapping, arena } = ofArena();
    for (const type of ['dma', 'shared'] as const) {
      expect(() => bufferIn({ arena, mapping, type, bytes: 1 })).toThrow(/type: .*use createBuffer/);
    }
  });

  it('answers for the devices that were given the segment, and leaves them to their owner', () => {
    const { mapping, arena } = ofArena();
    const some = answering('some:0', 'metal', { shared: true, reason: null });
    const imports = Imports.of(mapping, [some.device]);
    const metal = bufferIn({ arena, mapping, type: 'metal', bytes: 9, imports });
    expect(metal?.sharing).toEqual({ shared: ['some:0'], copied: false, reason: null });
    const neural = bufferIn({ arena, mapping, type: 'coreml', bytes: 9, imports });
    expect(neural?.sharing.reason).toBe('made for a coreml device, and none was given');
    metal?.close();
    expect(some.seen).toHaveLength(1);
    expect(some.closed).toEqual([]);
    imports.close();
    imports.close();
    expect(some.closed).toEqual([mapping]);
  });

  it('is null when nothing fits, and refuses what does not belong together', () => {
    const { mapping, arena } = ofArena(65_536);
    expect(bufferIn({ arena, mapping, type: 'unified', bytes: 65_537 })).toBeNull();
    using small = createBuffer({ type: 'unified', bytes: 1, name: 'small' });
    const type = 'unified';
    expect(codeOf(() => bufferIn({ arena, mapping: small.mapping, type, bytes: 1 }))).toBe(
      'invalid_argument',
    );
    const imports = Imports.of(small.mapping, []);
    expect(codeOf(() => bufferIn({ arena, mapping, type, bytes: 1, imports }))).toBe('invalid_argument');
    expect(codeOf(() => bufferIn({ arena, mapping, type, bytes: 0 }))).toBe('invalid_argument');
    expect(arena.stats().liveBlocks).toBe(0);
  });
});

describe('createBuffer', () => {
  it('refuses what is no buffer, naming it', () => {
    const name = 'x';
    expect(() => createBuffer({ type: 'gpu' as 'metal', bytes: 1, name })).toThrow(
      /type: expected one of unified, metal, coreml, shared, dma, found "gpu"/,
    );
    expect(codeOf(() => createBuffer({ type: 'toString' as 'metal', bytes: 1, name }))).toBe(
      'invalid_argument',
    );
    expect(codeOf(() => createBuffer({ type: 'dma', bytes: Number.NaN, name }))).toBe('invalid_argument');
    expect(codeOf(() => createBuffer({ type: 'dma', bytes: 1, name: '' }))).toBe('invalid_argument');
    expect(codeOf(() => createBuffer({ type: 'unified', bytes: 1, name, proveIn: '/' }))).toBe(
      'invalid_argument',
    );
  });

  it.skipIf(!hasProc)('leaves nothing behind when a device throws what is no refusal', () => {
    const yes = answering('yes:0', 'host', { shared: true, reason: null });
    const bug = answering('bug:0', 'host', new TypeError('a bug'));
    const create = () =>
      createBuffer({ type: 'unified', bytes: 1, name: 'undone', devices: [yes.device, bug.device] });
    expect(create).toThrow(TypeError);
    expect(yes.closed).toEqual(yes.seen);
    expect(areasOf('/memfd:undone')).toEqual([]);
    const twice = () =>
      createBuffer({ type: 'unified', bytes: 1, name: 'undone', devices: [yes.device, yes.device] });
    expect(codeOf(twice)).toBe('invalid_argument');
    expect(yes.closed).toEqual(yes.seen);
    expect(areasOf('/memfd:undone')).toEqual([]);
  });
});
