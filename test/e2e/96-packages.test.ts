/** What others install: the client and the contracts as npm packs them are whole, and their types resolve without the sources here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const site = mkdtempSync(join(tmpdir(), 'nautilus-packages-'));
const scope = join(site, 'node_modules', '@nautilus');
const packed = ['contracts', 'client'] as const;
const files = new Map<string, string[]>();
const tsc = join(root, 'node_modules', '.bin', 'tsc');

beforeAll(() => {
  execFileSync(tsc, ['-b', 'packages/client'], { cwd: root });
  mkdirSync(scope, { recursive: true });
  for (const name of packed) {
    const cwd = join(root, 'packages', name);
    const [made] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', site], {
        cwd,
        encoding: 'utf8',
      }),
    ) as { filename: string; files: { path: string }[] }[];
    files.set(name, made?.files.map(({ path }) => path) ?? []);
    mkdirSync(join(scope, name));
    const tarball = join(site, made?.filename ?? '');
    execFileSync('tar', ['-xzf', tarball, '-C', join(scope, name), '--strip-components=1']);
  }
  // What they depend on, as it is here.
  for (const name of ['bus', 'native']) symlinkSync(join(root, 'packages', name), join(scope, name));
  for (const name of ['zod', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(site, 'node_modules', name));
}, 180_000);
afterAll(() => rmSync(site, { recursive: true }));

function compile(text: string): { status: number | null; output: string } {
  writeFileSync(join(site, 'package.json'), '{"type":"module"}');
  writeFileSync(join(site, 'consumer.ts'), text);
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--skipLibCheck',
    '--types',
    'node',
  ];
  const { status, stdout } = spawnSync(tsc, [...flags, '--lib', 'es2023,esnext.disposable', 'consumer.ts'], {
    cwd: site,
    encoding: 'utf8',
  });
  return { status, output: stdout };
}

describe('the packages', () => {
  for (const name of packed) {
    it(`${name} is clean: publint finds nothing, and no test is in it`, async () => {
      const { messages, pkg } = await publint({ pkgDir: join(scope, name), pack: false });
      expect(
        messages.filter(({ type }) => type !== 'suggestion').map((one) => formatMessage(one, pkg)),
      ).toEqual([]);
      const list = files.get(name) ?? [];
      expect(list).toContain('dist/index.js');
      expect(list).toContain('dist/index.d.ts');
      expect(list.filter((path) => /\.test\.|testing\/|tsbuildinfo/.test(path))).toEqual([]);
    });
  }

  it('have types that resolve, and that find a mistake', () => {
    const right = compile(`import { connect, type NautilusClient } from '@nautilus/client';
import { exchanges, exchangeSubject } from '@nautilus/contracts';
export const client: Promise<NautilusClient> = connect({ container: 'x' });
export const subject: string = exchangeSubject(exchanges.leaseSegment, { host: 'h1', party: 'x' });
`);
    expect(right).toEqual({ status: 0, output: '' });
    const wrong = compile(`import { connect } from '@nautilus/client';\nvoid connect({ container: 7 });\n`);
    expect(wrong.status).not.toBe(0);
    expect(wrong.output).toContain("'number' is not assignable to type 'string'");
  });
});
