/**
 * `npm run verify:mac [-- --minutes N] [--model FILE.mlmodelc,COLUMNS,ROWS,COLUMNS,ROWS]`: what no other machine can
 * run. Tests and measures Metal and Core ML on this Mac, and writes a dated log to be committed under
 * docs/verification. Until one that passed is there, the documentation says that no Mac has run them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, coreSources, findCompiler } from '../packages/native/test/toolchain.mjs';
import { makeLog, markdownOf } from './mac-log.mjs';
import {
  buildNative,
  installPackages,
  main,
  requireCompiler,
  requireNode,
  root,
  Stop,
  say,
} from './setup/steps.mjs';

function options(words) {
  const found = { minutes: 10, model: [] };
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1] ?? '';
    if (words[at] === '--minutes' && /^\d+(\.\d+)?$/.test(value) && Number(value) > 0) {
      found.minutes = Number(value);
    } else if (words[at] === '--model' && /^[^,]+(,\d+){4}$/.test(value)) {
      found.model = value.split(',');
    } else {
      throw new Stop(
        `${words[at]} ${value}: expected --minutes N or --model FILE.mlmodelc,COLUMNS,ROWS,COLUMNS,ROWS (of input and output)`,
      );
    }
  }
  return found;
}

function ask(command, ...words) {
  const outcome = spawnSync(command, words, { cwd: root, encoding: 'utf8' });
  return outcome.status === 0 ? outcome.stdout.trim() : `unknown: ${command} ${words.join(' ')} failed`;
}

function describeMachine() {
  const isChanged = ask('git', 'status', '--porcelain') !== '';
  return {
    model: ask('sysctl', '-n', 'hw.model'),
    chip: ask('sysctl', '-n', 'machdep.cpu.brand_string'),
    memoryBytes: Number(ask('sysctl', '-n', 'hw.memsize')),
    macos: `${ask('sw_vers', '-productVersion')} (${ask('sw_vers', '-buildVersion')})`,
    node: process.versions.node,
    commit: ask('git', 'rev-parse', 'HEAD') + (isChanged ? ', with changes' : ''),
  };
}

/** A program whose last line counts. */
function cppTests() {
  const outcome = spawnSync(process.execPath, ['packages/native/test/run.mjs'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
    maxBuffer: 2 ** 27,
  });
  const lines = (outcome.stdout ?? '').trimEnd().split('\n');
  const notable = lines.filter((line) => /^(FAILED|skipped|\s{9})/.test(line));
  return { passed: outcome.status === 0, detail: [lines.at(-1), ...notable].join('\n') };
}

function typescriptTests(folder) {
  const report = join(folder, 'vitest.json');
  const words = [
    '--no-install',
    'vitest',
    'run',
    'packages/native',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const outcome = spawnSync('npx', words, { cwd: root, stdio: ['ignore', 2, 2] });
  if (!existsSync(report)) return { passed: false, detail: 'vitest wrote no report' };
  const found = JSON.parse(readFileSync(report, 'utf8'));
  const failed = found.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `FAILED ${fullName}`),
  );
  const counts = `${found.numPassedTests} passed, ${found.numFailedTests} failed, ${found.numPendingTests} skipped`;
  return { passed: outcome.status === 0 && found.numPassedTests > 0, detail: [counts, ...failed].join('\n') };
}

async function buildVerifier(folder) {
  const compiler = findCompiler('c++', 'clang++');
  const flags = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-Werror', '-mmacosx-version-min=13.0'];
  const own = ['device/apple/verify/main.cc', 'device/apple/verify/findings.mm'];
  const binary = join(folder, 'verify');
  const error = await build(compiler, flags, [...coreSources(), ...own], join(folder, 'objects'), binary);
  return { binary, error };
}

/** The verifier's JSON, kept even when it ends with a failure. */
function measure(binary, words, timeoutMinutes) {
  const outcome = spawnSync(binary, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 2],
    timeout: timeoutMinutes * 60_000,
  });
  let value;
  try {
    value = JSON.parse(outcome.stdout);
  } catch {
    value = undefined;
  }
  const passed = outcome.status === 0 && value !== undefined;
  const detail = passed
    ? 'see below'
    : `ended with ${outcome.signal ?? outcome.status}: ${outcome.stdout.trim()}`;
  return { value, passed, detail };
}

async function verify({ minutes, model }, folder) {
  const steps = [];
  const note = (name, { passed, detail }) => {
    say(`${passed ? 'passed' : 'FAILED'}: ${name}: ${detail}`);
    steps.push({ name, passed, detail });
  };
  try {
    buildNative();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    note('addon builds', { passed: false, detail: error.message });
    return { steps };
  }
  note('addon builds', { passed: true, detail: 'with the SDK of this Mac' });
  note('C++ tests', cppTests());
  note('TypeScript tests', typescriptTests(folder));
  const { binary, error } = await buildVerifier(folder);
  if (error !== null) {
    for (const name of ['latencies', 'soak', 'findings']) note(name, { passed: false, detail: error });
    return { steps };
  }
  const latencies = measure(binary, ['latencies'], 10);
  note('latencies', latencies);
  say(`soak for ${minutes} minutes`);
  const soak = measure(binary, ['soak', String(minutes)], minutes + 5);
  note('soak', soak);
  const findings = measure(binary, ['findings', ...model], 10);
  note('findings', findings);
  return { steps, latencies: latencies.value, soak: soak.value, findings: findings.value };
}

await main(async () => {
  const wanted = options(process.argv.slice(2));
  if (process.platform !== 'darwin') {
    throw new Stop(
      `verify:mac needs a Mac with Apple silicon and macOS 13 or newer; this is ${process.platform}-${process.arch}. ` +
        'Nothing was run and no log was written.',
    );
  }
  requireNode();
  requireCompiler();
  installPackages();
  const folder = mkdtempSync(join(tmpdir(), 'nautilus-verify-'));
  try {
    const date = new Date().toISOString().slice(0, 10);
    const results = await verify(wanted, folder);
    const log = makeLog({ date, machine: describeMachine(), minutes: wanted.minutes, ...results });
    const place = join(root, 'docs', 'verification');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `mac-${date}.json`), `${JSON.stringify(log, null, 2)}\n`);
    writeFileSync(join(place, `mac-${date}.md`), markdownOf(log));
    say(
      `written: docs/verification/mac-${date}.json and .md, to be committed; ${log.failures.length} failures`,
    );
    return log.failures.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
