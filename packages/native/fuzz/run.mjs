// Builds the fuzz targets with libFuzzer and sanitizers and runs them for a while:
// `node fuzz/run.mjs [--seconds N] [--seed N]`. 60 seconds in all by default, shared by the targets.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = process.env.NAUTILUS_FUZZ_OUTPUT ?? join(root, 'build', 'fuzz');
const targets = ['operations', 'ledger', 'moves'];
const processesAtOnce = 2;
const mostInputBytes = { operations: 4096, ledger: 8192, moves: 2048 };
const inputTimeoutSeconds = 20;
const residentLimitMebibytes = 2048;
const flags = [
  '-std=c++20',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=fuzzer,address,undefined',
  '-fno-sanitize-recover=all',
];

function say(line) {
  process.stdout.write(`${line}\n`);
}

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = process.argv[at + 1];
  if (!/^\d+$/.test(value ?? '')) throw new Error(`--${name}: expected a number, found ${value}`);
  return Number(value);
}

// Most clangs know the flag but come without the library, so a program is built.
function findCompiler() {
  const source = join(output, 'probe.cc');
  writeFileSync(
    source,
    '#include <cstddef>\nextern "C" int LLVMFuzzerTestOneInput(const unsigned char*, std::size_t) { return 0; }\n',
  );
  const versions = Array.from({ length: 7 }, (_, at) => `clang++-${14 + at}`);
  const candidates = [process.env.CXX, 'clang++', ...versions].filter(
    (name) => name !== undefined && name !== '',
  );
  const builds = (name) => spawnSync(name, [...flags, source, '-o', join(output, 'probe')]).status === 0;
  const runs = () => spawnSync(join(output, 'probe'), ['-runs=0']).status === 0;
  return candidates.find((name) => builds(name) && runs());
}

function execute(command, words) {
  return new Promise((resolve) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        texts[stream] += text;
      });
    }
    child.on('error', (error) => resolve({ status: null, ...texts, stderr: String(error) }));
    child.on('close', (status, signal) => resolve({ status, signal, ...texts }));
  });
}

// Each file once; answers what the compiler says against each target, by its name, or nothing.
async function build(compiler) {
  const common = readdirSync(join(root, 'alloc')).filter((name) => name.endsWith('.cc'));
  const objectOf = (file) => join(output, `${file.replace('/', '-')}.o`);
  const own = targets.map((target) => `fuzz/${target}.cc`);
  const failures = new Map();
  const files = [...own, ...common.map((name) => `alloc/${name}`)];
  await inTurn(files, async (file) => {
    const words = [...flags, '-I', root, '-c', join(root, file), '-o', objectOf(file)];
    const made = await execute(compiler, words);
    if (made.status !== 0) failures.set(file, made.stderr);
  });
  const wrong = (target) =>
    [...failures]
      .filter(([file]) => !own.includes(file) || file === `fuzz/${target}.cc`)
      .map(([, text]) => text);
  const results = targets.map(async (target) => {
    const compileErrors = wrong(target);
    if (compileErrors.length > 0) return [target, compileErrors.join('\n')];
    const objects = files.filter((file) => !own.includes(file) || file === `fuzz/${target}.cc`).map(objectOf);
    const linked = await execute(compiler, [...flags, ...objects, '-o', join(output, target)]);
    return [target, linked.status === 0 ? undefined : linked.stderr];
  });
  return new Map(await Promise.all(results));
}

// Without the lines that only say how the search goes on.
function report(text) {
  const lines = text
    .split('\n')
    .filter(
      (line) => !/^(#\d+\s|INFO:|\s*NEW_FUNC|0x|\\|Shadow|[ =]>?0x|\s+[A-Z][\w ]+:\s+[\da-f]{2})/.test(line),
    );
  return lines.join('\n').trim();
}

async function run(target, { seconds, seed }) {
  const found = mkdtempSync(join(tmpdir(), `nautilus-fuzz-${target}-`));
  try {
    const outcome = await execute(join(output, target), [
      `-seed=${seed}`,
      `-max_total_time=${seconds}`,
      `-max_len=${mostInputBytes[target]}`,
      '-len_control=10',
      `-timeout=${inputTimeoutSeconds}`,
      `-rss_limit_mb=${residentLimitMebibytes}`,
      '-print_final_stats=1',
      `-artifact_prefix=${found}/`,
    ]);
    const counters = [...outcome.stderr.matchAll(/^#\d+\s.*\bcov: (\d+) ft: (\d+) corp: (\d+)/gm)].at(-1);
    const executions = Number(/number_of_executed_units:\s*(\d+)/.exec(outcome.stderr)?.[1] ?? 0);
    const [edges, features, kept] = (counters ?? []).slice(1);
    const figures = `${executions} executions, ${edges ?? 0} edges, ${features ?? 0} features, ${kept ?? 0} inputs kept`;
    const inputs = readdirSync(found);
    // A target that executed nothing has shown nothing.
    if (outcome.status === 0 && inputs.length === 0 && executions > 0) {
      say(`passed   ${target}: ${figures}`);
      return true;
    }
    say(`FAILED   ${target}: ${figures}; ended with ${outcome.signal ?? `exit code ${outcome.status}`}`);
    for (const name of inputs) say(`${name}: ${readFileSync(join(found, name)).toString('base64')}`);
    say(report(outcome.stderr));
    return false;
  } finally {
    rmSync(found, { recursive: true });
  }
}

async function inTurn(jobs, job) {
  const waiting = [...jobs];
  const results = [];
  const worker = async () => {
    while (waiting.length > 0) results.push(await job(waiting.shift()));
  };
  await Promise.all(Array.from({ length: processesAtOnce }, worker));
  return results;
}

async function main() {
  mkdirSync(output, { recursive: true });
  const seconds = Math.max(1, Math.floor(option('seconds', 60) / targets.length));
  const seed = option('seed', 1);
  const compiler = findCompiler();
  if (compiler === undefined) {
    say('skipped  no clang with libFuzzer found (tried $CXX, clang++, clang++-14 to clang++-20)');
    say(`0 passed, 0 failed, ${targets.length} skipped`);
    return 0;
  }
  say(`${compiler} with libFuzzer, ASan and UBSan; ${seconds} s each, seed ${seed}`);
  const failures = await build(compiler);
  const passed = await inTurn(targets, async (target) => {
    const failure = failures.get(target);
    if (failure === undefined) return run(target, { seconds, seed });
    say(`FAILED   ${target}: does not build\n${failure}`);
    return false;
  });
  const count = passed.filter(Boolean).length;
  say(`${count} passed, ${targets.length - count} failed, 0 skipped`);
  return count === targets.length ? 0 : 1;
}

process.exitCode = await main();
