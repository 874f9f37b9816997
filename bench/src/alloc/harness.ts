/** Builds the C++ harness beside the sources of the memory core and runs it: a line of JSON for each measurement. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TraceInput } from './trace-input.ts';

export interface Measurement {
  readonly what: string;
  readonly who: string;
  readonly value: number;
  readonly unit: string;
}

/** A peer that is not on this machine. */
export interface Skipped {
  readonly skipped: string;
  readonly reason: string;
  readonly remedy: string;
}

export interface HarnessResult {
  readonly measurements: readonly Measurement[];
  readonly skipped: readonly Skipped[];
}

export class HarnessError extends Error {
  override readonly name = 'HarnessError';
}

const native = fileURLToPath(new URL('../../../packages/native/', import.meta.url));
const harness = fileURLToPath(new URL('../../native/', import.meta.url));
const output = fileURLToPath(new URL('../../build/', import.meta.url));

/** Answers the program's path. Compiles only when a source is newer than the program. */
export function buildHarness(): string {
  const program = join(output, 'bench_alloc');
  const folders = [join(native, 'alloc'), harness];
  if (existsSync(program) && newest(folders) < statSync(program).mtimeMs) return program;
  const compiler = findCompiler();
  mkdirSync(output, { recursive: true });
  process.stderr.write(`• compiling the C++ harness with ${compiler} -O2\n`);
  const flags = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread', '-I', native, '-I', harness];
  const sources = folders.flatMap((folder) => filesIn(folder, '.cc'));
  const libraries = process.platform === 'linux' ? ['-ldl'] : [];
  const { status } = spawnSync(compiler, [...flags, ...sources, '-o', program, ...libraries], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw new HarnessError('The C++ harness did not build; the output of the compiler is above.');
  return program;
}

const filesIn = (folder: string, ending: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

const newest = (folders: readonly string[]) =>
  Math.max(
    ...folders
      .flatMap((folder) => [...filesIn(folder, '.cc'), ...filesIn(folder, '.h'), folder])
      .map((file) => statSync(file).mtimeMs),
  );

function findCompiler(): string {
  const candidates = [process.env['CXX'] ?? '', 'c++', 'g++', 'clang++'].filter((name) => name !== '');
  const found = candidates.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (found === undefined) {
    throw new HarnessError(
      'A C++ compiler is needed. Type: sudo apt-get install g++ (Debian, Ubuntu), or xcode-select --install (macOS)',
    );
  }
  return found;
}

export function runHarness(
  program: string,
  traces: readonly TraceInput[],
  quick: boolean,
): Promise<HarnessResult> {
  const words = [
    ...(quick ? ['--quick'] : []),
    ...traces.flatMap(({ name, file }) => ['--trace', name, file]),
  ];
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'], env: environment() });
  const measurements: Measurement[] = [];
  const skipped: Skipped[] = [];
  const said = new Set<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found = JSON.parse(line) as Measurement | Skipped;
    if ('skipped' in found) {
      skipped.push(found);
      return;
    }
    if (!said.has(found.what)) process.stderr.write(`• ${found.what}\n`);
    said.add(found.what);
    measurements.push(found);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve({ measurements, skipped });
      else reject(new HarnessError(`the C++ harness ended with ${signal ?? `code ${code}`}`));
    });
  });
}

/** A malloc that is opened at run time may want more thread-local memory than glibc sets aside by itself. */
function environment(): NodeJS.ProcessEnv {
  const tunables = [process.env['GLIBC_TUNABLES'], 'glibc.rtld.optional_static_tls=32768'];
  return { ...process.env, GLIBC_TUNABLES: tunables.filter((tunable) => tunable !== undefined).join(':') };
}
