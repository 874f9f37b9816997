import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryLockFile } from './lock.ts';
import { Child } from './testing/child.ts';
import { codeOf } from './testing/code-of.ts';

describe('tryLockFile', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nautilus-lock-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives the lock to one holder at a time, in a private file', () => {
    const path = join(folder, 'one');
    const lock = tryLockFile(path);
    expect(lock).not.toBeNull();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(tryLockFile(path)).toBeNull();
    lock?.close();
    expect(tryLockFile(path)).not.toBeNull();
  });

  it('is dropped by the kernel when its holder is killed', async () => {
    const path = join(folder, 'killed');
    const child = new Child(`
      const lock = nautilus.tryLockFile(${JSON.stringify(path)});
      console.log(lock === null ? 'refused' : 'locked');
      process.stdin.resume();`);
    await child.saw('locked');
    expect(tryLockFile(path)).toBeNull();
    child.kill();
    await child.end();
    expect(tryLockFile(path)).not.toBeNull();
  });

  it('says when the folder is missing', () => {
    expect(codeOf(() => tryLockFile(join(folder, 'no', 'such')))).toBe('not_found');
  });
});
