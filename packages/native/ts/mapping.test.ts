import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSegment, mapSegment } from './segment.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';
import { collectUntil } from './testing/garbage.ts';

function mapNew(name: string, bytes: number) {
  using segment = createSegment({ name, bytes });
  return mapSegment(segment, { access: 'read-write' });
}

const isMapped = (name: string) => readFileSync('/proc/self/maps', 'utf8').includes(`/memfd:${name} `);

describe('Mapping.close', () => {
  it('empties live views, then unmaps at once', () => {
    const mapping = mapNew('emptied', 4096);
    const view = mapping.view(0, 4096);
    view[0] = 1;
    expect(isMapped('emptied')).toBe(true);
    mapping.close();
    expect(view.length).toBe(0);
    expect(view[0]).toBeUndefined();
    expect(isMapped('emptied')).toBe(false);
  });

  it('may be called twice, and everything else is refused afterwards', () => {
    const mapping = mapNew('twice', 4096);
    mapping.close();
    mapping.close();
    expect(mapping.closed).toBe(true);
    expect(codeOf(() => mapping.view(0, 1))).toBe('closed');
    expect(codeOf(() => mapping.residentBytes())).toBe('closed');
  });

  it('lets the same address be mapped again and again', () => {
    for (let round = 0; round < 300; round += 1) {
      using mapping = mapNew('again', 65_536);
      mapping.view(0, 65_536).fill(round);
    }
  });
});

describe('the buffer of a mapping', () => {
  /** Copied, or refused: both leave the memory where its mapping is. */
  const tolerates = (move: () => unknown): void => {
    try {
      move();
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  };

  it('cannot be moved away from its mapping, by no means that JavaScript has', () => {
    const mapping = mapNew('immovable', 65_536);
    const view = mapping.view(0, 65_536);
    view[0] = 5;
    const buffer = view.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
    tolerates(() => structuredClone(view, { transfer: [buffer] }));
    tolerates(() => new MessageChannel().port1.postMessage(view, [buffer]));
    if (buffer.transfer !== undefined) expect(() => buffer.transfer?.()).toThrow(TypeError);
    expect(view.length).toBe(65_536);
    expect(view[0]).toBe(5);
    mapping.close();
    expect(view.length).toBe(0);
  });

  it('survives in a copy that was sent, after the mapping is gone', () => {
    const mapping = mapNew('copied', 4096);
    mapping.view(0, 1)[0] = 9;
    const copy = structuredClone(mapping.view(0, 1));
    mapping.close();
    expect(copy[0]).toBe(9);
  });
});

describe('a forgotten mapping', () => {
  it('stays as long as one of its views, and goes with the last', async () => {
    let view: Uint8Array | null = mapNew('forgotten', 4096).view(0, 4096);
    view[7] = 7;
    expect(await collectUntil(() => !isMapped('forgotten'), 5)).toBe(false);
    expect(view[7]).toBe(7);
    view = null;
    expect(await collectUntil(() => !isMapped('forgotten'))).toBe(true);
  });
});

describe('Mapping.view', () => {
  it('refuses ranges that are none, naming the bounds', () => {
    using mapping = mapNew('ranges', 4096);
    for (const [offset, length] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [4096, 1],
      [0, 4097],
      [2 ** 53 - 1, 2 ** 53 - 1],
    ] as const) {
      expect(codeOf(() => mapping.view(offset, length))).toBe('invalid_argument');
    }
    expect(() => mapping.view(4096, 1)).toThrow(/at most the 4096 bytes of the mapping, found number 4097/);
    expect(mapping.view(4096, 0)).toHaveLength(0);
  });

  it('shares one ArrayBuffer between all views of a window', () => {
    using mapping = mapNew('shared', 8192);
    expect(mapping.view(0, 1).buffer).toBe(mapping.view(8191, 1).buffer);
  });
});

describe('a write into a read-only mapping', () => {
  it('ends the process by SIGSEGV after one line that says what happened', async () => {
    const child = new Child(`
      const segment = nautilus.createSegment({ name: 'granted', bytes: 8192 });
      const mapping = nautilus.mapSegment(segment, { access: 'read-only' });
      mapping.view(0, 8192)[4100] = 1;
      console.log('survived');`);
    const { signal, stderr, stdout } = await child.end();
    expect(stdout).toBe('');
    expect(signal).toBe('SIGSEGV');
    expect(stderr).toMatch(
      /nautilus: write into a read-only grant at segment offset 4100 of 8192 bytes: .*copy/,
    );
  });

  it('does not claim faults that are not its own', async () => {
    const child = new Child(`
      const segment = nautilus.createSegment({ name: 'granted', bytes: 8192 });
      nautilus.mapSegment(segment, { access: 'read-only' });
      process.kill(process.pid, 'SIGSEGV');
      setTimeout(() => console.log('survived'), 1000);`);
    const { signal, stderr, stdout } = await child.end();
    expect(stdout).toBe('');
    expect(signal).toBe('SIGSEGV');
    expect(stderr).not.toContain('nautilus: ');
  });
});

describe('lock', () => {
  it('keeps touched pages in memory where the limit allows it', () => {
    using segment = createSegment({ name: 'locked', bytes: 4096 });
    using mapping = mapSegment(segment, { access: 'read-write', lock: true });
    expect(mapping.locked).toBe(mapping.lockReason === null);
    expect(mapping.residentBytes()).toBe(0);
  });

  it.skipIf(process.getuid?.() !== 0)('reports a refusal with the limit instead of failing', async () => {
    const child = new Child(`
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const segment = nautilus.createSegment({ name: 'locked', bytes: 2 ** 32 });
      const mapping = nautilus.mapSegment(segment, { access: 'read-write', lock: true });
      console.log(mapping.locked, mapping.lockReason);`);
    const { stdout, stderr } = await child.end();
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^false not locked: .*4294967296 bytes asked, RLIMIT_MEMLOCK allows \d+/);
  });
});
