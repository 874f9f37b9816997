import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../testing/child.ts';
import { codeOf } from '../testing/code-of.ts';
import { createBuffer } from './buffer.ts';
import { proveDirectIo } from './direct-io.ts';
import { openFileAsSegment } from './file-segment.ts';

const memoryFileSystems: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nautilus-direct-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newBuffer(proveIn?: string) {
  return createBuffer({
    type: 'dma',
    bytes: 262_144,
    name: 'dma',
    ...(proveIn === undefined ? {} : { proveIn }),
  });
}

/** In a file system of that type; null and the reason when it cannot be mounted. */
function withMount(type: string, action: (directory: string) => void): string | null {
  const mount = mkdtempSync(join(folder, `${type}-`));
  try {
    execFileSync('mount', ['-t', type, type, mount], { stdio: 'pipe' });
  } catch (error) {
    return `needs root to mount a ${type}: ${String(error).split('\n')[0]}`;
  }
  try {
    action(mount);
    expect(readdirSync(mount)).toEqual([]);
  } finally {
    execFileSync('umount', [mount]);
  }
  return null;
}

describe('a dma buffer', () => {
  it('is proven by a disk that wrote and read it, and comes out clean', ({ skip }) => {
    if (memoryFileSystems.has(statfsSync(folder).type)) skip(`${folder} is on no disk`);
    using buffer = newBuffer(folder);
    const proof = buffer.directIo;
    expect(proof).toMatchObject({ proven: true, reason: null });
    expect(proof?.blockBytes).toBeGreaterThanOrEqual(512);
    expect(['told', 'tried']).toContain(proof?.blockSource);
    expect(proof?.viaFile.startsWith(`${folder}/`)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
    expect(buffer.view().every((byte) => byte === 0)).toBe(true);
  });

  it('was not tried when nobody asked', () => {
    using buffer = newBuffer();
    expect(buffer.directIo).toBeNull();
  });

  it('is not proven by tmpfs, which has no disk, whether its kernel refuses O_DIRECT or copies', ({
    skip,
  }) => {
    const reason = withMount('tmpfs', (directory) => {
      using buffer = newBuffer(directory);
      expect(buffer.directIo?.proven).toBe(false);
      expect(buffer.directIo?.reason).toMatch(
        /^(O_DIRECT refused|the file system takes direct transfers and copies them).*choose a directory on a disk$/,
      );
    });
    if (reason !== null) skip(reason);
  });

  it('tells the refusal of a file system without direct transfers', ({ skip }) => {
    const reason = withMount('ramfs', (directory) => {
      using buffer = newBuffer(directory);
      expect(buffer.directIo).toMatchObject({ proven: false, blockBytes: null, blockSource: null });
      expect(buffer.directIo?.reason).toMatch(/^O_DIRECT refused: .*errno 22/);
    });
    if (reason !== null) skip(reason);
  });

  it.skipIf(process.getuid?.() !== 0)('tells that the lock was refused, and what helps', async () => {
    const child = new Child(`
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const buffer = nautilus.createBuffer({ type: 'dma', name: 'unlocked', bytes: 2 ** 28 });
      console.log(buffer.locked, buffer.mapping.residentBytes(), buffer.lockReason);`);
    const { stdout, stderr } = await child.end();
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^false 268435456 not locked: .*RLIMIT_MEMLOCK allows \d+ .*CAP_IPC_LOCK/);
  });

  it('leaves no buffer behind when no file can be made in the directory', () => {
    expect(codeOf(() => newBuffer(join(folder, 'none')))).toBe('not_found');
    expect(() => newBuffer('/dev/null')).toThrow(/proof of direct I\/O in \/dev\/null/);
  });
});

describe('proveDirectIo', () => {
  it('touches its scratch only', ({ skip }) => {
    if (memoryFileSystems.has(statfsSync(folder).type)) skip(`${folder} is on no disk`);
    using buffer = newBuffer();
    buffer.view().fill(3);
    const { mapping } = buffer;
    expect(proveDirectIo({ mapping, offset: 65_536, bytes: 65_536, directory: folder }).proven).toBe(true);
    expect(buffer.view(0, 65_536).every((byte) => byte === 3)).toBe(true);
    expect(buffer.view(65_536, 65_536).every((byte) => byte === 0)).toBe(true);
    expect(buffer.view(131_072).every((byte) => byte === 3)).toBe(true);
  });

  it('refuses ranges, mappings and directories that are none', () => {
    using buffer = newBuffer();
    const { mapping } = buffer;
    const bytes = 65_536;
    const directory = folder;
    for (const wrong of [
      { mapping, offset: -1, bytes, directory },
      { mapping, offset: 262_144, bytes, directory },
      { mapping, offset: 0, bytes: 2 ** 53 - 1, directory },
      { mapping, offset: 0, bytes: 0, directory },
      { mapping, offset: 0, bytes, directory: '' },
      { mapping, offset: 0, bytes, directory: `${folder}\0` },
    ]) {
      expect(codeOf(() => proveDirectIo(wrong))).toBe('invalid_argument');
    }
    using file = openFileAsSegment({ path: process.execPath, access: 'read-only' });
    expect(codeOf(() => proveDirectIo({ mapping: file.mapping, offset: 0, bytes, directory }))).toBe(
      'invalid_argument',
    );
    buffer.close();
    expect(codeOf(() => proveDirectIo({ mapping, offset: 0, bytes, directory }))).toBe('closed');
  });
});
