/**
 * Holds the house together: who may import whom, which code stays pure, and that each package declares what it uses.
 * To let a package import something, or to declare a folder pure, edit the tables below.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkImport } from './boundary-rules.ts';
import { checkDependencies, type Use } from './dependency-rules.ts';
import { scanImports } from './scan-imports.ts';
import { sourceFiles } from './source-files.ts';

export interface PackageRule {
  readonly path: string;
  /** Short names of `@nautilus/…`; `every`: all of them. */
  readonly mayImport: readonly string[] | 'every';
  /** npm packages; `@scope/*` stands for a scope. */
  readonly npm: readonly string[];
  /** Packages that it starts as processes: declared so that they are built and found, but not imported. */
  readonly starts?: readonly string[];
}

export interface PureRule {
  /** A folder or a file. Test files in it are free. */
  readonly path: string;
  readonly npm?: readonly string[];
}

export interface HouseRules {
  readonly packages: readonly PackageRule[];
  readonly pure: readonly PureRule[];
  /** The only folder whose C++ knows Node-API. */
  readonly bindingFolder: string;
  /** Files that load by a computed name; nothing checks what. */
  readonly computedImports: readonly string[];
}

const service = ['contracts', 'bus', 'kit'] as const;

export const house: HouseRules = {
  packages: [
    { path: 'packages/contracts', mayImport: [], npm: ['zod'] },
    { path: 'packages/bus', mayImport: ['contracts'], npm: ['@nats-io/*'] },
    { path: 'packages/kit', mayImport: ['contracts'], npm: ['pino', 'prom-client', 'yaml', 'zod'] },
    { path: 'packages/native', mayImport: [], npm: [] },
    { path: 'packages/client', mayImport: ['contracts', 'bus', 'native'], npm: [] },
    // zod for its journal: what comes back from a disk is parsed like what comes from a stranger.
    {
      path: 'packages/allocator',
      mayImport: ['contracts', 'bus', 'kit', 'native'],
      npm: ['dockerode', 'zod'],
    },
    { path: 'services/orchestrator', mayImport: service, npm: [] },
    { path: 'services/monitor', mayImport: service, npm: [] },
    { path: 'services/maintenance', mayImport: service, npm: ['croner'] },
    { path: 'packages/memory', mayImport: 'every', npm: [] },
    {
      path: 'packages/cli',
      mayImport: 'every',
      npm: [],
      starts: [
        '@nautilus/allocator',
        '@nautilus/examples',
        '@nautilus/maintenance',
        '@nautilus/monitor',
        '@nautilus/orchestrator',
      ],
    },
    { path: 'examples', mayImport: 'every', npm: [] },
    { path: 'bench', mayImport: 'every', npm: [] },
    { path: 'test', mayImport: 'every', npm: ['publint', 'yaml'] },
  ],
  // No `node:*`, no npm package, of the house only the contracts, and no value from impure files of the same package.
  pure: [
    { path: 'packages/contracts/src', npm: ['zod'] },
    { path: 'packages/allocator/src/accounts' },
    { path: 'services/maintenance/src/calendar', npm: ['croner'] },
    { path: 'services/orchestrator/src/plan' },
    { path: 'services/orchestrator/src/limits' },
    { path: 'services/monitor/src/ladder' },
    { path: 'services/monitor/src/baseline' },
    { path: 'services/monitor/src/leak' },
    { path: 'services/monitor/src/forecast' },
  ],
  bindingFolder: 'packages/native/binding',
  // The addon is a file that the build makes, not a module with a name.
  computedImports: ['packages/native/ts/load.ts'],
};

export interface Violation {
  readonly file: string;
  /** 0: the file as a whole. */
  readonly line: number;
  readonly message: string;
}

export interface BoundaryReport {
  readonly files: number;
  readonly imports: number;
  readonly violations: readonly Violation[];
}

export function checkBoundaries(root: string, rules: HouseRules = house): BoundaryReport {
  const violations: Violation[] = [];
  let files = 0;
  let imports = 0;
  for (const rule of rules.pure) {
    if (!existsSync(join(root, rule.path))) {
      violations.push({ file: rule.path, line: 0, message: 'is listed as pure and does not exist' });
    }
  }
  for (const rule of rules.packages) {
    const folder = join(root, rule.path);
    if (!existsSync(join(folder, 'package.json'))) {
      violations.push({
        file: rule.path,
        line: 0,
        message: 'is listed as a package and has no package.json',
      });
      continue;
    }
    const uses: Use[] = [];
    for (const name of sourceFiles(folder, ['.ts'])) {
      const file = `${rule.path}/${name}`;
      files += 1;
      for (const found of scanImports(readFileSync(join(root, file), 'utf8'))) {
        imports += 1;
        for (const message of checkImport({ file, found, rule, rules })) {
          violations.push({ file, line: found.line, message });
        }
        uses.push({ file, found });
      }
    }
    violations.push(...checkDependencies(root, rule, uses));
  }
  violations.push(...checkListed(root, rules), ...checkBinding(root, rules));
  return { files, imports, violations };
}

/** A package without a row would be free of every rule. */
function checkListed(root: string, rules: HouseRules): Violation[] {
  const listed = new Set(rules.packages.map((rule) => `${rule.path}/package.json`));
  return ['packages', 'services']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => sourceFiles(root, ['package.json'], folder))
    .filter((file) => file.split('/').length === 3 && !listed.has(file))
    .map((file) => ({ file, line: 0, message: 'has no row in the table of packages' }));
}

function checkBinding(root: string, rules: HouseRules): Violation[] {
  const violations: Violation[] = [];
  for (const file of sourceFiles(root, ['.cc', '.h', '.mm', '.cpp', '.hpp'])) {
    if (file.startsWith(`${rules.bindingFolder}/`)) continue;
    for (const [at, text] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
      const header = /^\s*#\s*include\s*[<"](napi\.h|napi-inl\.h|node_api\.h|js_native_api\.h)[>"]/.exec(
        text,
      );
      if (header === null) continue;
      const message = `${header[1]} is known only in ${rules.bindingFolder}`;
      violations.push({ file, line: at + 1, message });
    }
  }
  return violations;
}

const program = process.argv[1];
if (program !== undefined && resolve(program) === fileURLToPath(import.meta.url)) {
  const report = checkBoundaries(fileURLToPath(new URL('..', import.meta.url)));
  for (const { file, line, message } of report.violations) {
    console.error(`${line === 0 ? file : `${file}:${line}`}  ${message}`);
  }
  console.log(
    `boundaries: ${report.files} files, ${report.imports} imports, ${report.violations.length} violations`,
  );
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}
