import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArena } from '../create-arena.ts';
import { createSegment } from '../segment.ts';
import { Child } from '../testing/child.ts';
import { codeOf } from '../testing/code-of.ts';
import { areasOf, statusBytes } from '../testing/own-memory.ts';
import { openFileAsSegment } from './file-segment.ts';

const mib = 2 ** 20;
const hasProc = existsSync('/proc/self/smaps');

let folder = '';
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nautilus-mapped-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newFile(content: Uint8Array | string): string {
  files += 1;
  const path = join(folder, `file-${files}`);
  writeFileSync(path, content);
  return path;
}

/** By another process. */
function overwrite(path: string, offset: number, text: string): void {
  execFileSync('dd', [`of=${path}`, 'bs=1', `seek=${offset}`, 'conv=notrunc'], {
    input: text,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

const textAt = (view: Uint8Array) => Buffer.from(view).toString('latin1');

describe('a file as a read-only segment', () => {
  it('shows what another process writes to the file', () => {
    const path = newFile(Buffer.alloc(3 * mib));
    using segment = openFileAsSegment({ path, access: 'read-only' });
    const view = segment.mapping.view(2 * mib, 5);
    expect(textAt(view)).toBe('\0\0\0\0\0');
    overwrite(path, 2 * mib, 'hello');
    expect(textAt(view)).toBe('hello');
    expect(segment).toMatchObject({ path, offset: 0, fileBytes: 3 * mib });
    expect(segment.mapping.access).toBe('read-only');
  });

  it.skipIf(!hasProc)(
    'is the cache of the file: resident before the first touch, and no memory of its own',
    () => {
      const path = newFile(Buffer.alloc(64 * mib, 5));
      using segment = openFileAsSegment({ path, access: 'read-only' });
      expect(segment.mapping.residentBytes()).toBe(64 * mib);
      const anonymous = statusBytes('RssAnon');
      const file = statusBytes('RssFile');
      const view = segment.mapping.view(0, 64 * mib);
      let sum = 0;
      for (let at = 0; at < view.length; at += 4096) sum += view[at] ?? 0;
      expect(sum).toBe(5 * 16_384);
      expect(statusBytes('RssFile') - file).toBeGreaterThan(60 * mib);
      expect(statusBytes('RssAnon') - anonymous).toBeLessThan(8 * mib);
      expect(areasOf(path)).toHaveLength(1);
      expect(areasOf(path)[0]?.bytes).toMatchObject({ Anonymous: 0, Rss: 64 * mib });
      expect(segment.copiedBytes()).toBe(0);
    },
  );

  it('keeps what it has when the file is removed or another takes its place', () => {
    const path = newFile('first');
    using removed = openFileAsSegment({ path, access: 'read-only' });
    renameSync(newFile('second'), path);
    using replaced = openFileAsSegment({ path, access: 'read-only' });
    rmSync(path);
    expect(textAt(removed.mapping.view(0, 5))).toBe('first');
    expect(textAt(replaced.mapping.view(0, 6))).toBe('second');
  });

  it('reaches beyond 4 GiB of a sparse file', () => {
    const path = newFile('');
    const far = 5 * 2 ** 30;
    truncateSync(path, far + 10);
    const fd = openSync(path, 'r+');
    writeSync(fd, 'end', far + 7);
    closeSync(fd);
    expect(statSync(path).blocks * 512).toBeLessThan(mib);
    using segment = openFileAsSegment({ path, access: 'read-only' });
    expect(segment.mapping.bytes).toBe(far + 10);
    expect(textAt(segment.mapping.view(far + 7, 3))).toBe('end');
    using part = openFileAsSegment({ path, access: 'read-only', offset: far, bytes: 10 });
    expect(textAt(part.mapping.view(7, 3))).toBe('end');
    expect(part.offset).toBe(far);
  });

  it('follows symbolic links, as models are kept behind them', () => {
    const path = newFile('linked');
    symlinkSync(path, `${path}.link`);
    using segment = openFileAsSegment({ path: `${path}.link`, access: 'read-only' });
    expect(textAt(segment.mapping.view(0, 6))).toBe('linked');
  });
});

describe('a file as a private segment', () => {
  it('keeps writes here, counts them as copies, and leaves the file alone', () => {
    const path = newFile(Buffer.alloc(8 * mib, 1));
    using segment = openFileAsSegment({ path, access: 'private' });
    const view = segment.mapping.view(0, 8 * mib);
    expect(view[mib]).toBe(1);
    expect(segment.copiedBytes()).toBe(0);
    view[0] = 9;
    view[mib] = 9;
    view[mib + 1] = 9;
    expect(segment.copiedBytes()).toBe(8192);
    if (hasProc) expect(areasOf(path)[0]?.bytes.Anonymous).toBe(8192);
    expect(readFileSync(path).every((byte) => byte === 1)).toBe(true);
    using other = openFileAsSegment({ path, access: 'private' });
    expect(other.mapping.view(mib, 1)[0]).toBe(1);
    expect(segment.mapping.access).toBe('private');
  });

  it('of more bytes than the host has is refused with the remedy, where the kernel counts', ({ skip }) => {
    const policy = '/proc/sys/vm/overcommit_memory';
    if (!existsSync(policy) || readFileSync(policy, 'utf8').trim() !== '0') skip(`${policy} is not 0`);
    const path = newFile('');
    truncateSync(path, 2 ** 42);
    const privately = () => openFileAsSegment({ path, access: 'private' });
    expect(codeOf(privately)).toBe('out_of_memory');
    expect(privately).toThrow(/counted as memory that may be written; read-only is not/);
    using segment = openFileAsSegment({ path, access: 'read-only' });
    expect(segment.mapping.view(2 ** 42 - 1, 1)[0]).toBe(0);
  });

  it('is no ledger: other processes would not see it', () => {
    using segment = openFileAsSegment({ path: newFile(Buffer.alloc(mib)), access: 'private' });
    const { mapping: ledger } = segment;
    expect(codeOf(() => createArena({ strategy: 'slab', bytes: 65_536, ledger }))).toBe('invalid_argument');
  });
});

describe('the risk that a file is cut short', () => {
  it('is told, unless a seal forbids it', ({ skip }) => {
    using file = openFileAsSegment({ path: newFile('x'), access: 'read-only' });
    expect(file.shrinkRisk).toMatch(/SIGBUS.*rename/);
    using sealed = createSegment({ name: 'sealed', bytes: 4096 });
    const path = `/proc/self/fd/${sealed.fd}`;
    if (!existsSync(path)) skip('needs /proc to open a memfd by name');
    using segment = openFileAsSegment({ path, access: 'read-only' });
    expect(segment.shrinkRisk).toBeNull();
  });

  for (const access of ['read-only', 'private'] as const) {
    it(`comes true for ${access}: SIGBUS after one line that names the file`, async () => {
      const path = newFile(Buffer.alloc(3 * 4096));
      const child = new Child(`
        import { truncateSync } from 'node:fs';
        const { mapping } = nautilus.openFileAsSegment({ path: ${JSON.stringify(path)}, access: '${access}' });
        const view = mapping.view(0, 3 * 4096);
        truncateSync(${JSON.stringify(path)}, 10);
        console.log('last page', view[4095]);
        console.log('survived', view[4096]);`);
      const { signal, stdout, stderr } = await child.end();
      expect(stdout).toBe('last page 0\n');
      expect(signal).toBe('SIGBUS');
      expect(stderr).toContain(
        `nautilus: lost page of the mapped file ${path} at mapped offset 4096 of 12288 bytes`,
      );
    });
  }
});

describe('a write into a read-only file segment', () => {
  it('ends the process by SIGSEGV after one line that names the file', async () => {
    const path = newFile('constant');
    const child = new Child(`
      const { mapping } = nautilus.openFileAsSegment({ path: ${JSON.stringify(path)}, access: 'read-only' });
      mapping.view(0, 8)[3] = 1;
      console.log('survived');`);
    const { signal, stdout, stderr } = await child.end();
    expect(stdout).toBe('');
    expect(signal).toBe('SIGSEGV');
    expect(stderr).toContain(`nautilus: write into the mapped file ${path} at mapped offset 3 of 8 bytes`);
    expect(stderr).toContain('map it as private');
  });
});

describe('openFileAsSegment', () => {
  it('refuses what is no file with bytes, naming the path', () => {
    const open = (path: string) => () => openFileAsSegment({ path, access: 'read-only' });
    expect(codeOf(open(join(folder, 'none')))).toBe('not_found');
    expect(open(folder)).toThrow(new RegExp(`${folder}: a directory`));
    expect(open('/dev/zero')).toThrow(/\/dev\/zero: no regular file/);
    expect(open(newFile(''))).toThrow(/file-\d+: empty/);
    expect(open('/proc/self/status')).toThrow(/\/proc\/self\/status: empty, or of a file system/);
    expect(codeOf(open(''))).toBe('invalid_argument');
    expect(codeOf(open('a\0b'))).toBe('invalid_argument');
    expect(codeOf(open('x'.repeat(5000)))).toBe('system');
    expect(codeOf(open(undefined as unknown as string))).toBe('invalid_argument');
  });

  it('refuses ranges that are not in the file, naming the remedy', () => {
    const path = newFile(Buffer.alloc(10_000));
    const open = (offset: number, bytes?: number) => () =>
      openFileAsSegment({ path, access: 'read-only', offset, ...(bytes === undefined ? {} : { bytes }) });
    expect(open(100)).toThrow(
      /offset 100 is not a multiple of the page of \d+ bytes; map from the page before/,
    );
    expect(open(12_288)).toThrow(/not inside the 10000 bytes/);
    expect(open(8192, 1809)).toThrow(/1809 bytes asked at offset 8192, from 1 to 1808 are there/);
    for (const [offset, bytes] of [
      [-1, 1],
      [0, 0],
      [0, -1],
      [0, 0.5],
      [Number.NaN, 1],
      [2 ** 53 - 4096, 1],
      [0, 2 ** 53 - 1],
    ] as const) {
      expect(codeOf(open(offset, bytes))).toBe('invalid_argument');
    }
    const access = 'read-write' as 'private';
    expect(() => openFileAsSegment({ path, access })).toThrow(/access: expected 'read-only' or 'private'/);
  });

  it('says what sysfs answers: its files cannot be mapped', ({ skip }) => {
    const path = '/sys/kernel/mm/transparent_hugepage/enabled';
    if (!existsSync(path)) skip(`${path} is not there`);
    expect(codeOf(() => openFileAsSegment({ path, access: 'read-only' }))).toBe('unsupported');
  });

  it.skipIf(process.getuid?.() !== 0)('is refused without the right to read', async () => {
    const path = newFile('secret');
    chmodSync(folder, 0o755);
    chmodSync(path, 0o600);
    const child = new Child(`
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      try { nautilus.openFileAsSegment({ path: ${JSON.stringify(path)}, access: 'read-only' }); }
      catch (error) { console.log(error.code, error.syscall); }`);
    expect((await child.end()).stdout).toBe('permission_denied open\n');
  });

  it('closes once, and everything is refused afterwards', () => {
    const segment = openFileAsSegment({ path: newFile('x'), access: 'private' });
    segment.close();
    segment.close();
    expect(codeOf(() => segment.copiedBytes())).toBe('closed');
    expect(codeOf(() => segment.mapping.view(0, 1))).toBe('closed');
  });
});
