/** Each kind of violation in a small made-up house, and the same house without any. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkBoundaries, type HouseRules, house } from './check-boundaries.ts';

const rules: HouseRules = {
  packages: [
    { path: 'packages/contracts', mayImport: [], npm: ['zod'] },
    { path: 'packages/bus', mayImport: ['contracts'], npm: ['@nats-io/*'] },
    { path: 'packages/native', mayImport: [], npm: ['node-addon-api'] },
    { path: 'services/planner', mayImport: ['contracts', 'bus'], npm: [] },
    { path: 'test', mayImport: 'every', npm: [] },
  ],
  pure: [{ path: 'packages/contracts/src', npm: ['zod'] }, { path: 'services/planner/src/plan' }],
  bindingFolder: 'packages/native/binding',
  computedImports: ['packages/native/ts/load.ts'],
};

const manifest = (name: string, dependencies: string[], devDependencies: string[] = []) => {
  const versions = (names: string[]) => Object.fromEntries(names.map((one) => [one, '1.0.0']));
  return JSON.stringify({
    name: `@nautilus/${name}`,
    dependencies: versions(dependencies),
    devDependencies: versions(devDependencies),
  });
};

/** A house in order; a test puts one file into it or over it. */
const clean: Readonly<Record<string, string>> = {
  'packages/contracts/package.json': manifest('contracts', ['zod']),
  'packages/contracts/src/index.ts': `import { z } from 'zod';\nexport const name = z.string();\n`,
  'packages/bus/package.json': manifest('bus', ['@nats-io/kv', '@nautilus/contracts'], ['@nats-io/services']),
  'packages/bus/src/index.ts': `import { Kv } from '@nats-io/kv';\nexport * from '@nautilus/contracts';\nexport { Kv };\n`,
  'packages/bus/src/bus.test.ts': `import { it } from 'vitest';\nimport '@nats-io/services';\nimport '@nautilus/planner';\nit('x', () => import('./index.ts'));\n`,
  'packages/native/package.json': manifest('native', ['node-addon-api']),
  'packages/native/binding.gyp': `{ 'include_dirs': ["<!(node -p \\"require('node-addon-api').include\\")"] }`,
  'packages/native/binding/addon.cc': '#include <napi.h>\n',
  'packages/native/ts/load.ts': `import { createRequire } from 'node:module';\nconst require = createRequire('/');\nexport const load = (path: string) => require(path);\n`,
  'services/planner/package.json': manifest('planner', ['@nautilus/bus', '@nautilus/contracts']),
  'services/planner/src/main.ts': `import { Kv } from '@nautilus/bus';\nimport { plan } from './plan/plan.ts';\nimport 'node:fs';\nplan(Kv);\n`,
  'services/planner/src/plan/plan.ts': `import { name } from '@nautilus/contracts';\nimport type { Kept } from '../store.ts';\nexport const plan = (kept: Kept) => [kept, name];\n`,
  'services/planner/src/plan/plan.test.ts': `import fc from 'fast-check';\nimport 'node:fs';\nfc.assert;\n`,
  'packages/bus/src/store.conformance.ts': `import { it } from 'vitest';\nit('y', () => undefined);\n`,
  'services/planner/src/store.ts': `export interface Kept {}\n`,
  'test/package.json': manifest('test', ['@nautilus/bus']),
  'test/e2e.test.ts': `import { startServer } from '@nautilus/bus/testing';\nimport { plan } from '@nautilus/planner';\nstartServer(plan);\n`,
};

describe('checkBoundaries', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function check(files: Readonly<Record<string, string>> = {}, useRules = rules) {
    const root = mkdtempSync(join(tmpdir(), 'nautilus-boundaries-'));
    folders.push(root);
    for (const [file, text] of Object.entries({ ...clean, ...files })) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return checkBoundaries(root, useRules);
  }
  const problems = (files: Readonly<Record<string, string>>, useRules = rules) =>
    check(files, useRules).violations.map(({ file, line, message }) => `${file}:${line} ${message}`);

  it('finds nothing in a house in order', () => {
    expect(check()).toEqual({ files: 10, imports: 19, violations: [] });
  });

  const plan = 'services/planner/src/plan/extra.ts';
  const main = 'services/planner/src/extra.ts';
  it.each<[string, string, string, string]>([
    [
      'a package that is not allowed',
      'packages/bus/src/x.ts',
      `import '@nautilus/native';`,
      'packages/bus/src/x.ts:1 packages/bus may not import @nautilus/native',
    ],
    [
      'a service that imports a service',
      'packages/contracts/src/x.ts',
      `import '@nautilus/planner';`,
      'packages/contracts/src/x.ts:1 packages/contracts may not import @nautilus/planner',
    ],
    [
      'a type of such a package',
      main,
      `\nimport type { A } from '@nautilus/native';`,
      `${main}:2 services/planner may not import @nautilus/native`,
    ],
    [
      'a re-export',
      main,
      `export * from '@nautilus/native';`,
      `${main}:1 services/planner may not import @nautilus/native`,
    ],
    [
      'a dynamic import',
      main,
      `const a = await import('@nautilus/native');`,
      `${main}:1 services/planner may not import @nautilus/native`,
    ],
    [
      'an import type',
      main,
      `type A = typeof import('@nautilus/native');`,
      `${main}:1 services/planner may not import @nautilus/native`,
    ],
    [
      'a deep import',
      main,
      `import '@nautilus/bus/src/index.ts';`,
      `${main}:1 @nautilus/bus/src/index.ts is a deep import, use @nautilus/bus`,
    ],
    [
      'a deep import in a test',
      'test/x.test.ts',
      `import '@nautilus/bus/dist/index.js';`,
      'test/x.test.ts:1 @nautilus/bus/dist/index.js is a deep import, use @nautilus/bus',
    ],
    [
      'the testing face outside of tests',
      main,
      `import '@nautilus/bus/testing';`,
      `${main}:1 @nautilus/bus/testing is for tests`,
    ],
    [
      'an unknown package of the house',
      main,
      `import '@nautilus/nothing';`,
      `${main}:1 @nautilus/nothing is not a package of the house`,
    ],
    [
      'the package itself',
      'packages/bus/src/x.ts',
      `import '@nautilus/bus';`,
      'packages/bus/src/x.ts:1 @nautilus/bus is this package itself, import the file',
    ],
    [
      'NATS outside of the bus',
      main,
      `import '@nats-io/kv';`,
      `${main}:1 @nats-io/kv is known only to packages/bus`,
    ],
    [
      'NATS in a test outside of the bus',
      'test/x.test.ts',
      `import '@nats-io/kv';`,
      'test/x.test.ts:1 @nats-io/kv is known only to packages/bus',
    ],
    [
      'an npm package that is not allowed',
      main,
      `import { z } from 'zod/v4';`,
      `${main}:1 services/planner may not import zod`,
    ],
    ['a builtin without its scheme', main, `import 'fs';`, `${main}:1 services/planner may not import fs`],
    ['vitest outside of tests', main, `import 'vitest';`, `${main}:1 services/planner may not import vitest`],
    [
      'a builtin in pure code',
      plan,
      `import { readFileSync } from 'node:fs';`,
      `${plan}:1 pure code in services/planner/src/plan may not import node:fs`,
    ],
    [
      'another package in pure code',
      plan,
      `import '@nautilus/bus';`,
      `${plan}:1 pure code in services/planner/src/plan may not import @nautilus/bus`,
    ],
    [
      'a value of impure code in pure code',
      plan,
      `import { a } from '../store.ts';`,
      `${plan}:1 pure code in services/planner/src/plan may import only types from ../store.ts, which is not pure`,
    ],
    [
      'a path out of the package',
      main,
      `import '../../../packages/bus/src/index.ts';`,
      `${main}:1 ../../../packages/bus/src/index.ts leaves the package, import its public face`,
    ],
    [
      'a computed import',
      main,
      `const a = (name: string) => import(name);`,
      `${main}:1 a computed import cannot be checked, name the module`,
    ],
    [
      'a pattern in a name',
      main,
      `const a = import(\`./\${1}.ts\`);`,
      `${main}:1 a computed import cannot be checked, name the module`,
    ],
    [
      'Node-API outside of the binding',
      'packages/native/alloc/x.h',
      '// first\n#include <napi.h>\n',
      'packages/native/alloc/x.h:2 napi.h is known only in packages/native/binding',
    ],
    [
      'a package without a row',
      'packages/new/package.json',
      '{}',
      'packages/new/package.json:0 has no row in the table of packages',
    ],
  ])('reports %s', (_, file, text, expected) => {
    expect(problems({ [file]: text })).toContain(expected);
  });

  it('reports a dependency that is not declared, and one that nothing uses', () => {
    expect(
      problems({ 'packages/bus/package.json': manifest('bus', ['@nats-io/kv', '@nats-io/jetstream']) }),
    ).toEqual([
      'packages/bus/src/bus.test.ts:2 @nats-io/services is not declared in packages/bus/package.json',
      'packages/bus/src/index.ts:2 @nautilus/contracts is not declared in packages/bus/package.json',
      'packages/bus/package.json:0 @nats-io/jetstream is declared and never imported',
    ]);
    expect(problems({ 'packages/native/binding.gyp': '{}' })).toEqual([
      'packages/native/package.json:0 node-addon-api is declared and never imported',
    ]);
  });

  it('reports a pure folder and a package that do not exist', () => {
    const missing: HouseRules = {
      ...rules,
      packages: [...rules.packages, { path: 'packages/gone', mayImport: [], npm: [] }],
      pure: [...rules.pure, { path: 'packages/bus/src/gone' }],
    };
    expect(problems({}, missing)).toEqual([
      'packages/bus/src/gone:0 is listed as pure and does not exist',
      'packages/gone:0 is listed as a package and has no package.json',
    ]);
  });

  it('does not take comments, texts and patterns for imports', () => {
    const text = [
      `// import 'zod';`,
      `/* import 'zod'; */`,
      `const a = "import 'zod'";`,
      `const b = \`import 'zod' \${\`\${'from'}\`} from 'zod'\`;`,
      `const c = /['"]/.test("'") ? 1 / 2 : /[/'"]/;`,
      `const from = { import: (name: string) => name };`,
      `from.import('zod');`,
      `class Device { import(mapping: Mapping): Buffer { return this.made(mapping); } }`,
      `export const d = [a, b, c]; // 'zod'`,
    ].join('\n');
    expect(problems({ [main]: text })).toEqual([]);
  });

  it('sees the import after such text', () => {
    const text = `const a = \`\${'\`'}\`;\nconst b = /[/'"\`]/;\nconst c = 4 / 2; const d = "/";\n/[/]/; import 'zod';\n`;
    expect(problems({ [main]: text })).toEqual([
      `${main}:4 services/planner may not import zod`,
      `${main}:4 zod is not declared in services/planner/package.json`,
    ]);
  });

  it('holds the table of the architecture', () => {
    const row = (path: string) => house.packages.find((rule) => rule.path === path);
    expect(row('packages/kit')?.mayImport).not.toContain('bus');
    expect(row('packages/contracts')?.mayImport).toEqual([]);
    expect(row('packages/native')?.mayImport).toEqual([]);
    expect(row('packages/client')?.mayImport).not.toContain('kit');
    for (const service of ['orchestrator', 'monitor', 'maintenance']) {
      expect(row(`services/${service}`)?.mayImport).toEqual(['contracts', 'bus', 'kit']);
    }
  });
});
