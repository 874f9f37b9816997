import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Descriptor } from './descriptor.ts';
import { NativeError } from './errors.ts';
import { probeHost } from './probe.ts';
import {
  createFileSegment,
  createSegment,
  inspectDescriptor,
  mapSegment,
  openFileSegment,
  reopenReadOnly,
  sealFutureWrites,
  segmentKinds,
} from './segment.ts';
import { codeOf } from './testing/code-of.ts';
import { runSegmentSuite } from './testing/segment-suite.ts';

const { hugePages } = probeHost();

function openLinks(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    // The descriptor of the folder itself is gone by now.
    const link = lstatSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false });
    return link === undefined ? [] : [readlinkSync(`/proc/self/fd/${fd}`)];
  });
}

runSegmentSuite({
  kind: 'memfd',
  skip: hugePages.available ? {} : { 'reserves huge pages': hugePages.reason ?? 'none' },
});
runSegmentSuite({
  kind: 'posix',
  skip: {
    'cannot shrink or grow': 'POSIX shared memory takes no seals',
    'costs nothing before it is touched': '/dev/shm has a size limit, so every page is reserved at creation',
    'may exceed 4 GiB': 'would reserve 9 GiB of memory',
    'takes no new writers once sealed': 'POSIX shared memory takes no seals',
    'reserves huge pages': 'only memfd has them',
  },
});

describe('createSegment', () => {
  it('knows its kinds and why one is missing', () => {
    expect(segmentKinds.map(({ kind }) => kind)).toEqual(['memfd', 'posix']);
    for (const { available, reason } of segmentKinds) expect(available).toBe(reason === null);
  });

  it.skipIf(hugePages.available)('says how many huge pages are missing', () => {
    const bytes = 10 * (hugePages.pageBytes ?? 1);
    try {
      createSegment({ name: 'huge', bytes, hugePages: true });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'out_of_memory', syscall: 'mmap' });
      expect(String(error)).toMatch(/10 of 2097152 bytes needed, 0 free/);
    }
  });

  it('names what it was given instead of a size', () => {
    expect(() => createSegment({ name: 'x', bytes: Number.NaN })).toThrow(
      /bytes: expected .* found number NaN/,
    );
    expect(() => createSegment({ name: 'x', bytes: '9' as unknown as number })).toThrow(/found "9"/);
    expect(codeOf(() => createSegment({ name: '', bytes: 1 }))).toBe('invalid_argument');
    expect(codeOf(() => createSegment({ name: 'x', bytes: 1, kind: 'other' as 'memfd' }))).toBe(
      'invalid_argument',
    );
    expect(codeOf(() => createSegment({ name: 'x', bytes: 1, kind: 'posix', hugePages: true }))).toBe(
      'unsupported',
    );
  });

  it('does not seal what takes no seals, and says so', () => {
    using segment = createSegment({ name: 'posix', bytes: 1, kind: 'posix' });
    const { sealed, reason } = sealFutureWrites(segment);
    expect(sealed).toBe(false);
    expect(reason).toMatch(/posix/);
  });
});

describe('a closed descriptor', () => {
  it('closes once and is refused everywhere', () => {
    const segment = createSegment({ name: 'closed', bytes: 1 });
    const { fd } = segment;
    segment.close();
    segment.close();
    expect(segment.closed).toBe(true);
    expect(existsSync(`/proc/self/fd/${fd}`)).toBe(false);
    for (const use of [
      () => segment.fd,
      () => inspectDescriptor(segment),
      () => reopenReadOnly(segment),
      () => sealFutureWrites(segment),
      () => mapSegment(segment, { access: 'read-only' }),
    ]) {
      expect(codeOf(use)).toBe('closed');
    }
  });

  it('leaves no descriptor behind, its read-only twin included', () => {
    const open = () => openLinks().filter((link) => link.includes('/dev/shm/nautilus-')).length;
    const before = open();
    const segment = createSegment({ name: 'x', bytes: 1, kind: 'posix' });
    expect(open()).toBe(before + 2);
    segment.close();
    expect(open()).toBe(before);
  });
});

describe('segments in files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nautilus-file-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are private, reserved, and keep their bytes', () => {
    const path = join(folder, 'kept');
    using created = createFileSegment({ path, bytes: 10_000 });
    const facts = statSync(path);
    expect(facts.mode & 0o777).toBe(0o600);
    expect(facts.blocks * 512).toBeGreaterThanOrEqual(facts.size);
    using writer = mapSegment(created, { access: 'read-write' });
    writer.view(0, 1)[0] = 5;
    using opened = openFileSegment({ path, writable: false });
    using reader = mapSegment(opened, { access: 'read-only' });
    expect(reader.bytes).toBe(12_288);
    expect(reader.view(0, 1)[0]).toBe(5);
  });

  it('refuse an existing file, a missing one, a link and a folder', () => {
    const path = join(folder, 'there');
    writeFileSync(path, 'x');
    symlinkSync(path, join(folder, 'link'));
    expect(codeOf(() => createFileSegment({ path, bytes: 1 }))).toBe('address_in_use');
    expect(codeOf(() => openFileSegment({ path: join(folder, 'none'), writable: true }))).toBe('not_found');
    expect(codeOf(() => openFileSegment({ path: join(folder, 'link'), writable: true }))).toBe('system');
    expect(codeOf(() => openFileSegment({ path: folder, writable: false }))).toBe('invalid_argument');
    expect(codeOf(() => openFileSegment({ path: 'a\0b', writable: false }))).toBe('invalid_argument');
  });

  it('report a full file system and leave nothing there', ({ skip }) => {
    const mount = join(folder, 'small');
    try {
      execFileSync('sh', ['-c', `mkdir ${mount} && mount -t tmpfs -o size=1m tmpfs ${mount}`], {
        stdio: 'pipe',
      });
    } catch (error) {
      skip(`needs root to mount a small tmpfs: ${String(error).split('\n')[0]}`);
    }
    try {
      createFileSegment({ path: join(mount, 'fits'), bytes: 512 * 1024 }).close();
      try {
        createFileSegment({ path: join(mount, 'full'), bytes: 2 ** 20 });
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(NativeError);
        expect(error).toMatchObject({ code: 'storage_full', syscall: 'posix_fallocate' });
        expect(String(error)).toMatch(/524288 bytes free there/);
      }
      expect(existsSync(join(mount, 'full'))).toBe(false);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
});

describe('mapSegment', () => {
  it('refuses a memfd that can shrink unless told to accept it', async ({ skip }) => {
    // Only another program makes a memfd without seals; the agent gets such descriptors over its socket.
    const script =
      "import os,sys; fd=os.memfd_create('open',os.MFD_ALLOW_SEALING); os.ftruncate(fd,8192); print(fd,flush=True); sys.stdin.read()";
    const maker = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const fd = await new Promise<string | null>((resolve) => {
        maker.once('error', () => resolve(null));
        maker.stdout.once('data', (data) => resolve(String(data).trim()));
      });
      if (fd === null) skip('needs python3 to make an unsealed memfd');
      using unsealed = Descriptor.adopt(openSync(`/proc/${maker.pid}/fd/${fd}`, 'r+'));
      expect(codeOf(() => mapSegment(unsealed, { access: 'read-only' }))).toBe('invalid_argument');
      expect(() => mapSegment(unsealed, { access: 'read-only' })).toThrow(/allowUnsealed/);
      using mapping = mapSegment(unsealed, { access: 'read-only', allowUnsealed: true });
      expect(mapping.bytes).toBe(8192);
    } finally {
      maker.kill();
    }
  });

  it('says when the address space is too small', () => {
    using segment = createSegment({ name: 'petabytes', bytes: 2 ** 52 });
    expect(codeOf(() => mapSegment(segment, { access: 'read-write' }))).toBe('out_of_memory');
  });

  it('refuses what is no segment', () => {
    expect(
      codeOf(() =>
        mapSegment(openFileSegment({ path: '/proc/self/maps', writable: false }), { access: 'read-only' }),
      ),
    ).toBe('invalid_argument');
    using segment = createSegment({ name: 'x', bytes: 1 });
    expect(codeOf(() => mapSegment(segment, { access: 'write' as 'read-write' }))).toBe('invalid_argument');
    expect(codeOf(() => mapSegment(segment, { access: 'read-only', prefault: true }))).toBe(
      'invalid_argument',
    );
  });
});
