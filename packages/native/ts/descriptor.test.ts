import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Descriptor } from './descriptor.ts';
import { createSegment } from './segment.ts';
import { codeOf } from './testing/code-of.ts';
import { collectUntil } from './testing/garbage.ts';

const isOpen = (fd: number) => existsSync(`/proc/self/fdinfo/${fd}`);

describe('Descriptor', () => {
  it('closes what was forgotten, with a warning that names it', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const fd = (() => createSegment({ name: 'forgotten', bytes: 1 }).fd)();
    expect(isOpen(fd)).toBe(true);
    expect(await collectUntil(() => !isOpen(fd) && warnings.length > 0)).toBe(true);
    process.off('warning', onWarning);
    expect(warnings[0]).toMatchObject({ code: 'NAUTILUS_DESCRIPTOR_FORGOTTEN' });
    expect(warnings[0]?.message).toContain(`descriptor ${fd} `);
  });

  it('adopts an fd of somebody else, once', () => {
    const fd = openSync('/dev/null', 'r');
    const adopted = Descriptor.adopt(fd);
    expect(codeOf(() => Descriptor.adopt(fd))).toBe('invalid_argument');
    adopted.close();
    expect(isOpen(fd)).toBe(false);
    expect(codeOf(() => Descriptor.adopt(fd))).toBe('closed');
    expect(codeOf(() => Descriptor.adopt(-1))).toBe('invalid_argument');
  });

  it('never closes a number that it does not own any more', () => {
    const first = createSegment({ name: 'first', bytes: 1 });
    const { fd } = first;
    first.close();
    const reused = openSync('/dev/null', 'r');
    expect(reused).toBe(fd);
    first.close();
    first[Symbol.dispose]();
    expect(isOpen(reused)).toBe(true);
    closeSync(reused);
  });
});
