/** What a single import may be, given the file it stands in. */
import { posix } from 'node:path';
import type { HouseRules, PackageRule, PureRule } from './check-boundaries.ts';
import type { Import } from './scan-imports.ts';

const scope = '@nautilus/';
/** Faces of a package beside the main one, for tests. */
const testingFaces: ReadonlySet<string> = new Set([
  '@nautilus/bus/testing',
  '@nautilus/allocator/testing',
  '@nautilus/cli/testing',
]);
const testTools: ReadonlySet<string> = new Set(['vitest', 'fast-check']);

export interface ImportInFile {
  /** From the root of the repository. */
  readonly file: string;
  readonly found: Import;
  readonly rule: PackageRule;
  readonly rules: HouseRules;
}

export function isTestFile(file: string): boolean {
  return /\.(?:test|test-d|conformance)\.ts$/.test(file) || /^test\//.test(file) || /\/testing\//.test(file);
}

/** `@scope/name` or `name`, without what follows. */
export function npmName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

export function checkImport(context: ImportInFile): string[] {
  const { file, found } = context;
  const { specifier } = found;
  if (specifier === null) {
    return isTestFile(file) || context.rules.computedImports.includes(file)
      ? []
      : ['a computed import cannot be checked, name the module'];
  }
  const messages = specifier.startsWith('.')
    ? checkRelative(context, specifier)
    : specifier.startsWith(scope)
      ? checkHouse(context, specifier)
      : specifier.startsWith('node:')
        ? []
        : checkNpm(context, specifier);
  return [...messages, ...checkPure(context, specifier)];
}

function checkRelative({ file, rule }: ImportInFile, specifier: string): string[] {
  const target = posix.join(posix.dirname(file), specifier);
  return isInside(target, rule.path) ? [] : [`${specifier} leaves the package, import its public face`];
}

function checkHouse({ file, rule, rules }: ImportInFile, specifier: string): string[] {
  const name = specifier.slice(scope.length).split('/', 1)[0] ?? '';
  const messages: string[] = [];
  const isTest = isTestFile(file);
  const target = rules.packages.find((other) => posix.basename(other.path) === name);
  if (target === undefined) return [`${specifier} is not a package of the house`];
  if (specifier !== `${scope}${name}`) {
    if (!testingFaces.has(specifier)) messages.push(`${specifier} is a deep import, use ${scope}${name}`);
    else if (!isTest && !isInside(file, 'bench')) messages.push(`${specifier} is for tests`);
  }
  const self = posix.basename(rule.path);
  if (isTest) return messages;
  if (name === self) messages.push(`${specifier} is this package itself, import the file`);
  else if (rule.mayImport !== 'every' && !rule.mayImport.includes(name)) {
    messages.push(`${rule.path} may not import ${scope}${name}`);
  }
  return messages;
}

function checkNpm({ file, rule }: ImportInFile, specifier: string): string[] {
  const name = npmName(specifier);
  if (isTestFile(file) && testTools.has(name)) return [];
  const isAllowed = rule.npm.some((allowed) =>
    allowed.endsWith('/*') ? name.startsWith(allowed.slice(0, -1)) : name === allowed,
  );
  if (isAllowed) return [];
  return [
    name.startsWith('@nats-io/')
      ? `${name} is known only to packages/bus`
      : `${rule.path} may not import ${name}`,
  ];
}

function checkPure({ file, found, rules }: ImportInFile, specifier: string): string[] {
  const pure = pureRule(file, rules);
  if (pure === null || isTestFile(file)) return [];
  const where = `pure code in ${pure.path}`;
  if (specifier.startsWith('node:')) return [`${where} may not import ${specifier}`];
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    const isAllowed = found.isTypeOnly || pureRule(target, rules) !== null;
    return isAllowed ? [] : [`${where} may import only types from ${specifier}, which is not pure`];
  }
  if (specifier.startsWith(scope)) {
    const isAllowed = specifier === `${scope}contracts`;
    return isAllowed || found.isTypeOnly ? [] : [`${where} may not import ${specifier}`];
  }
  const name = npmName(specifier);
  return (pure.npm ?? []).includes(name) ? [] : [`${where} may not import ${name}`];
}

function pureRule(file: string, rules: HouseRules): PureRule | null {
  return rules.pure.find((rule) => isInside(file, rule.path)) ?? null;
}

function isInside(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
