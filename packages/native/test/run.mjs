// Builds the C++ tests twice and runs them: all with AddressSanitizer and UndefinedBehaviorSanitizer, those with
// threads again with ThreadSanitizer, as far as the compiler has them. They need no Node, so a sanitizer sees nothing
// but our own code. `node test/run.mjs [PART OF A NAME]`; NAUTILUS_CC_OUTPUT says where to build.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, coreSources, findCompiler, root, say, sources, whyNot } from './toolchain.mjs';

const output = process.env.NAUTILUS_CC_OUTPUT ?? join(root, 'build', 'cc-tests');
const only = process.argv[2] ?? '';
const longestMinutes = 15;
const flags = [
  '-std=c++20',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-g1',
  '-O1',
  '-fno-omit-frame-pointer',
  '-pthread',
];
const address = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
// GCC warns that it does not model fences; ours order what readers in other processes see.
const thread = ['-fsanitize=thread', '-Wno-unknown-warning-option', '-Wno-tsan'];

function isThreaded(file) {
  return readFileSync(join(root, file), 'utf8').includes('#include <thread>');
}

/** What every program of tests needs beside the tests. */
function isSupport(file) {
  return !file.endsWith('_test.cc');
}

async function suite(name, compiler, extra, tests) {
  say(name);
  const folder = join(output, name.replaceAll(/\W+/g, '-'));
  const binary = join(folder, 'tests');
  const error = await build(compiler, [...flags, ...extra], [...coreSources(), ...tests], folder, binary);
  if (error !== null) {
    say(error);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const outcome = spawnSync(binary, only === '' ? [] : [only], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: longestMinutes * 60_000,
    maxBuffer: 2 ** 27,
  });
  process.stdout.write(outcome.stdout ?? '');
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(outcome.stdout ?? '');
  const [passed, failed, skipped] = (counts ?? [0, 0, 0, 0]).slice(1).map(Number);
  // A sanitizer that found something ends the program its own way, whatever the tests say.
  if (counts !== null && outcome.status === (failed > 0 ? 1 : 0)) return { passed, failed, skipped };
  say(`FAILED   ${name} ended with ${outcome.signal ?? `exit code ${outcome.status}`}`);
  return { passed, failed: failed + 1, skipped };
}

async function main() {
  mkdirSync(output, { recursive: true });
  const compiler = findCompiler(process.env.CXX, 'c++', 'g++', 'clang++');
  if (compiler === undefined) {
    say('no C++ compiler found (tried $CXX, c++, g++, clang++)');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const tests = sources('test');
  const noAddress = whyNot(compiler, address, output);
  if (noAddress !== null) say(`without ASan and UBSan: ${noAddress}`);
  const first = await suite(
    noAddress === null ? `${compiler} with ASan and UBSan` : `${compiler} without sanitizers`,
    compiler,
    noAddress === null ? address : [],
    tests,
  );
  const threaded = tests.filter((file) => isSupport(file) || isThreaded(file));
  const noThread = whyNot(compiler, thread, output);
  if (noThread !== null) {
    say(`skipped  everything with TSan: ${noThread}`);
    return { ...first, skipped: first.skipped + 1 };
  }
  const second = await suite(`${compiler} with TSan`, compiler, thread, threaded);
  return {
    passed: first.passed + second.passed,
    failed: first.failed + second.failed,
    skipped: first.skipped + second.skipped,
  };
}

const { passed, failed, skipped } = await main();
say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
