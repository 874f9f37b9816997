import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArena } from './create-arena.ts';
import { ledgerBytesFor } from './ledger.ts';
import { addonPaths } from './load.ts';
import type { Native } from './native.ts';
import { createSegment, mapSegment } from './segment.ts';

const mib = 2 ** 20;

describe('a second copy of the addon in one process', () => {
  let folder = '';
  let other: Native;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nautilus-copy-'));
    const copy = join(folder, 'copy.node');
    copyFileSync(addonPaths()[0] ?? '', copy);
    other = createRequire(import.meta.url)(copy) as Native;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('works by itself, and is refused a ledger that the first one writes', () => {
    using segment = createSegment({ name: 'copies', bytes: ledgerBytesFor(mib, 64) });
    using mapping = mapSegment(segment, { access: 'read-write' });
    const arena = createArena({ strategy: 'slab', bytes: mib, ledger: mapping });
    const handle = arena.allocate(100) ?? 0;
    const theirs = other.mappingCreate(segment.fd, true, false, false, false).handle;
    const open = (recover: boolean) => other.arenaCreate('slab', mib, 64, theirs, recover, null);
    for (const recover of [false, true]) expect(() => open(recover)).toThrow(/another copy of the addon/);
    // An opaque handle of one copy is nothing to the other.
    expect(() => other.arenaCreate('slab', mib, 64, mapping.handle, false, null)).toThrow(/a mapping/);
    expect(arena.lengthOf(handle)).toBe(100);
    arena.close();
    const recovered = open(true);
    expect(other.arenaFree(recovered, handle)).toBe(0);
    expect(other.arenaFree(recovered, handle)).toBe(1);
    other.arenaClose(recovered);
    expect(() => other.arenaFree(recovered, handle)).toThrow(/already closed/);
    other.arenaClose(recovered);
    other.mappingClose(theirs, []);
  });
});
