import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createArena } from './create-arena.ts';
import { ledgerBytesFor, ledgerHeaderBytes, readLedger } from './ledger.ts';
import { createSegment, mapSegment, reopenReadOnly } from './segment.ts';
import { codeOf } from './testing/code-of.ts';

function ledgerPair() {
  using segment = createSegment({ name: 'ledger', bytes: ledgerBytesFor(65_536, 64) });
  using readOnly = reopenReadOnly(segment);
  return {
    owner: mapSegment(segment, { access: 'read-write' }),
    agent: mapSegment(readOnly, { access: 'read-only' }),
  };
}

describe('ledger', () => {
  it('shows the figures of an arena through another, read-only mapping', () => {
    const { owner, agent } = ledgerPair();
    expect(readLedger(agent)).toBeNull();
    using arena = createArena({ strategy: 'first_fit', bytes: 65_536, ledger: owner });
    expect(readLedger(agent)).toMatchObject({ segmentBytes: 65_536, liveBlocks: 0 });
    const handle = arena.allocate(100) ?? 0;
    arena.allocate(2 ** 20);
    const { freeBytes, largestFreeBytes, ...figures } = arena.stats();
    expect(freeBytes).toBe(largestFreeBytes);
    expect(readLedger(agent)).toEqual({ segmentBytes: 65_536, ...figures });
    expect(figures).toMatchObject({ liveBlocks: 1, liveBytes: 128, failures: 1 });
    arena.free(handle);
    expect(readLedger(agent)).toMatchObject({ liveBlocks: 0, frees: 1, highWaterBytes: 128 });
  });

  it('closed under its arena closes the arena too, and what it said stays for readers', () => {
    const { owner, agent } = ledgerPair();
    const arena = createArena({ strategy: 'stack', bytes: 65_536, ledger: owner });
    arena.allocate(64);
    owner.close();
    expect(codeOf(() => arena.allocate(64))).toBe('closed');
    expect(readLedger(agent)?.liveBlocks).toBe(1);
    arena.close();
    expect(readLedger(agent)?.liveBlocks).toBe(1);
  });

  it('is safe to read whatever its owner writes there', async () => {
    const { owner, agent } = ledgerPair();
    const bytes = owner.view(0, ledgerHeaderBytes);
    createArena({ strategy: 'stack', bytes: 64, ledger: owner }).close();
    const header = bytes.slice(0, 16);
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.uint8Array({ minLength: 112, maxLength: 112 }),
        async (keepHeader, noise) => {
          bytes.set(noise, 0);
          if (keepHeader) bytes.set(header, 0);
          const read = readLedger(agent);
          expect(read === null).toBe(!keepHeader);
          for (const figure of Object.values(read ?? {})) expect(Number.isSafeInteger(figure)).toBe(true);
        },
      ),
    );
  });

  it('needs a writable page that is large enough, and reads nothing from a closed one', () => {
    const { owner, agent } = ledgerPair();
    expect(codeOf(() => createArena({ strategy: 'stack', bytes: 64, ledger: agent }))).toBe(
      'invalid_argument',
    );
    owner.close();
    expect(codeOf(() => createArena({ strategy: 'stack', bytes: 64, ledger: owner }))).toBe('closed');
    expect(codeOf(() => readLedger(owner))).toBe('closed');
  });
});
