/** Files of every size and opening in a made-up tree. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkSize } from './check-size.ts';

describe('checkSize', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function check(files: Readonly<Record<string, string>>) {
    const root = mkdtempSync(join(tmpdir(), 'nautilus-size-'));
    folders.push(root);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return checkSize(root);
  }
  /** A file of that many lines, the comment included. */
  const lines = (count: number) => `// Why.\n${'x;\n'.repeat(count - 1)}`;

  it('measures and finds nothing wrong at the limits', () => {
    const files: Record<string, string> = {
      'services/a/src/main.ts': lines(25),
      'packages/a/src/big.ts': lines(300),
      'packages/a/alloc/big.cc': lines(400),
      'packages/a/alloc/shim.mm': '/* Why. */\n',
    };
    for (let count = 1; count <= 8; count += 1) files[`scripts/f${count}.ts`] = lines(count * 10);
    expect(check(files)).toEqual({
      languages: [
        { name: 'TypeScript', files: 10, p50: 40, p90: 80, max: 300 },
        { name: 'C++', files: 2, p50: 1, p90: 400, max: 400 },
      ],
      violations: [],
    });
  });

  it.each([
    ['packages/a/src/big.ts', 301, 300],
    ['test/big.test.ts', 301, 300],
    ['packages/a/alloc/big.cc', 401, 400],
    ['packages/a/alloc/big.h', 401, 400],
    ['packages/a/device/big.mm', 401, 400],
    ['services/a/src/main.ts', 26, 25],
  ])('reports %s with %i lines', (file, count, limit) => {
    expect(check({ [file]: lines(count) }).violations).toEqual([
      `${file}  has ${count} lines, at most ${limit} are allowed`,
    ]);
  });

  it('counts a last line without its end', () => {
    expect(check({ 'scripts/a.ts': `${lines(300)}x;` }).violations).toHaveLength(1);
  });

  it.each([
    ['/** Why. */\n', true],
    ['// Why.\n', true],
    ['\n/* Why. */\n', true],
    ['#!/usr/bin/env node\n/** Why. */\n', true],
    ['\uFEFF// Why.\n', true],
    ["import 'a';\n// Why.\n", false],
    ['#!/usr/bin/env node\nx;\n', false],
    ['', false],
  ])('asks for a comment at the top: %j is right: %s', (text, isRight) => {
    expect(check({ 'scripts/a.ts': text }).violations).toEqual(
      isRight ? [] : ['scripts/a.ts  does not open with a comment on why it exists'],
    );
  });

  it('leaves out what is built, installed or generated', () => {
    const long = 'x;\n'.repeat(500);
    const { violations, languages } = check({
      'packages/a/dist/a.d.ts': long,
      'packages/a/build/a.h': long,
      'packages/a/node_modules/b/a.ts': long,
      'packages/a/src/generated/a.ts': long,
      'packages/a/src/a.generated.ts': long,
      'docs/a.ts': long,
    });
    expect(violations).toEqual([]);
    expect(languages.map(({ files }) => files)).toEqual([0, 0]);
  });
});
