/** What a package declares in package.json must be what its files import: nothing undeclared, nothing unused. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTestFile, npmName } from './boundary-rules.ts';
import type { PackageRule, Violation } from './check-boundaries.ts';
import type { Import } from './scan-imports.ts';

export interface Use {
  readonly file: string;
  readonly found: Import;
}

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Tests run from the root, which has the test tools and sees every package. */
const freeInTests = /^(?:vitest|fast-check|@nautilus\/.*)$/;

export function checkDependencies(root: string, rule: PackageRule, uses: readonly Use[]): Violation[] {
  const file = `${rule.path}/package.json`;
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const devDependencies = Object.keys(manifest.devDependencies ?? {});
  const used = new Set<string>();
  const violations: Violation[] = [];
  for (const use of uses) {
    const { specifier, line } = use.found;
    if (specifier === null || specifier.startsWith('.') || specifier.startsWith('node:')) continue;
    const name = npmName(specifier);
    used.add(name);
    if (name === manifest.name || dependencies.includes(name)) continue;
    if (isTestFile(use.file) && (freeInTests.test(name) || devDependencies.includes(name))) continue;
    violations.push({ file: use.file, line, message: `${name} is not declared in ${file}` });
  }
  for (const name of [...dependencies, ...devDependencies]) {
    if (used.has(name) || name.startsWith('@types/') || isUsedByBuild(root, rule, name)) continue;
    // Found by name and started as a process, never imported.
    if (rule.starts?.includes(name) === true) continue;
    violations.push({ file, line: 0, message: `${name} is declared and never imported` });
  }
  return violations;
}

/** A dependency of C++ is named in the build file. */
function isUsedByBuild(root: string, rule: PackageRule, name: string): boolean {
  const build = join(root, rule.path, 'binding.gyp');
  return existsSync(build) && readFileSync(build, 'utf8').includes(name);
}
