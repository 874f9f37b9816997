/** The command itself: what it writes, and that `--check` fails on a page that is not what it would write. */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePages } from './docs/folder.ts';
import { pages } from './docs/pages.ts';

const script = fileURLToPath(new URL('generate-docs.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nautilus-docs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function run(...flags: string[]): Promise<{ code: number; output: string }> {
  const command = ['--import', tsx, '--conditions=@nautilus/source', script, '--out', folder, ...flags];
  return new Promise((resolve) => {
    execFile(process.execPath, command, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe('generate-docs', () => {
  it('writes every page, and then nothing', async () => {
    const first = await run();
    expect(first).toMatchObject({ code: 0 });
    for (const name of Object.keys(pages)) expect(first.output).toContain(name);
    expect(await run()).toEqual({ code: 0, output: 'nothing changed\n' });
  });

  it('--check passes on fresh pages, and names the one that someone changed', async () => {
    await writePages(pages, folder);
    expect(await run('--check')).toMatchObject({ code: 0 });
    await appendFile(join(folder, 'errors.md'), 'a word more\n');
    const found = await run('--check');
    expect(found.code).toBe(1);
    expect(found.output).toContain('errors.md is stale');
    expect(found.output).not.toContain('config.md');
    expect(await readFile(join(folder, 'errors.md'), 'utf8')).toContain('a word more');
  });

  it('--check names a page that is missing', async () => {
    await writePages(pages, folder);
    await rm(join(folder, 'metrics.md'));
    const found = await run('--check');
    expect(found.code).toBe(1);
    expect(found.output).toContain('metrics.md is stale');
  });
});
