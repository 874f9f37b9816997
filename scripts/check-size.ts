/** Keeps files small enough to read in one go, and makes each of them say first why it exists. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFiles } from './source-files.ts';

export interface SizeRule {
  readonly name: string;
  readonly endings: readonly string[];
  readonly maximumLines: number;
}

export const sizeRules: readonly SizeRule[] = [
  { name: 'TypeScript', endings: ['.ts'], maximumLines: 300 },
  { name: 'C++', endings: ['.cc', '.h', '.mm'], maximumLines: 400 },
];
const maximumMainLines = 25;
const folders = ['packages', 'services', 'examples', 'bench', 'test', 'scripts'];

export interface LanguageSize {
  readonly name: string;
  readonly files: number;
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

export interface SizeReport {
  readonly languages: readonly LanguageSize[];
  /** Ready to print. */
  readonly violations: readonly string[];
}

export function checkSize(root: string): SizeReport {
  const violations: string[] = [];
  const present = folders.filter((folder) => existsSync(join(root, folder)));
  const languages = sizeRules.map(({ name, endings, maximumLines }) => {
    const sizes: number[] = [];
    for (const file of present.flatMap((folder) => sourceFiles(root, endings, folder))) {
      const text = readFileSync(join(root, file), 'utf8');
      const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
      const limit = /(?:^|\/)main\.ts$/.test(file) ? maximumMainLines : maximumLines;
      sizes.push(lines);
      if (lines > limit) violations.push(`${file}  has ${lines} lines, at most ${limit} are allowed`);
      // A unit test says what it is about in its first describe(), and stands beside its subject.
      const speaks = file.endsWith('.test.ts') || opensWithComment(text);
      if (!speaks) violations.push(`${file}  does not open with a comment on why it exists`);
    }
    sizes.sort((one, other) => one - other);
    return { name, files: sizes.length, p50: rank(sizes, 0.5), p90: rank(sizes, 0.9), max: rank(sizes, 1) };
  });
  return { languages, violations };
}

/** A line for the interpreter may come first. */
function opensWithComment(text: string): boolean {
  return /^\uFEFF?(?:#!.*\n)?\s*\/[/*]/.test(text);
}

/** The smallest value that at least this share of the sorted values does not exceed. */
function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const program = process.argv[1];
if (program !== undefined && resolve(program) === fileURLToPath(import.meta.url)) {
  const report = checkSize(fileURLToPath(new URL('..', import.meta.url)));
  for (const violation of report.violations) console.error(violation);
  for (const { name, files, p50, p90, max } of report.languages) {
    console.log(`size: ${name}: ${files} files, lines p50 ${p50}, p90 ${p90}, max ${max}`);
  }
  console.log(`size: ${report.violations.length} violations`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}
