// Builds the two proofs that a death at any moment loses nothing, runs them and adds up their counts:
// `node kill/run.mjs [--points N] [--operations N] [--seed N]`. 500 points by default; 10,000 are the full proof.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = process.env.NAUTILUS_KILL_OUTPUT ?? join(root, 'build', 'kill');
const flags = ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-O2', '-I', root];
const strategies = 5;

function say(line) {
  process.stdout.write(`${line}\n`);
}

function findCompiler() {
  const candidates = [process.env.CXX, 'g++', 'c++', 'clang++'].filter(
    (name) => name !== undefined && name !== '',
  );
  return candidates.find((name) => spawnSync(name, ['--version']).status === 0);
}

function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return [];
  const value = process.argv[at + 1];
  if (!/^\d+$/.test(value ?? '')) throw new Error(`--${name}: expected a number, found ${value}`);
  return [`--${name}`, value];
}

function build(compiler, program) {
  const common = readdirSync(join(root, 'alloc'))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(root, 'alloc', name));
  const own = ['check.cc', 'work.cc', `${program}.cc`].map((name) => join(root, 'kill', name));
  const binary = join(output, program);
  const made = spawnSync(compiler, [...flags, ...own, ...common, '-o', binary], { encoding: 'utf8' });
  if (made.status === 0) return binary;
  say(made.stderr ?? String(made.error));
  return null;
}

// A proof that does not end with its counts has failed, whatever it printed before.
function run(compiler, program, words) {
  say(program);
  const binary = build(compiler, program);
  if (binary === null) return { passed: 0, failed: 1, skipped: 0 };
  const outcome = spawnSync(binary, words, { encoding: 'utf8', timeout: 3_600_000 });
  process.stdout.write(outcome.stdout ?? '');
  process.stderr.write(outcome.stderr ?? '');
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(outcome.stdout ?? '');
  if (counts === null || outcome.status === null || outcome.status > 1) {
    say(`${program} ended with ${outcome.signal ?? `exit code ${outcome.status}`}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const [passed, failed, skipped] = counts.slice(1).map(Number);
  return { passed, failed, skipped };
}

function main() {
  mkdirSync(output, { recursive: true });
  const points = option('points');
  const operations = option('operations');
  const seed = option('seed');
  const compiler = findCompiler();
  if (compiler === undefined) {
    say('no C++ compiler found (tried $CXX, g++, c++, clang++)');
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  const results = [run(compiler, 'random', [...points, ...seed])];
  if (process.platform === 'linux') {
    results.push(run(compiler, 'step', [...operations, ...seed]));
  } else {
    say(`skipped  step: ${process.platform} has no PTRACE_SINGLESTEP`);
    results.push({ passed: 0, failed: 0, skipped: strategies });
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  say(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  return sum('failed') === 0 ? 0 : 1;
}

process.exitCode = main();
