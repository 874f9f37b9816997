// Builds the C++ tests with AddressSanitizer and UndefinedBehaviorSanitizer, where the compiler has them, and
// runs them. They need no Node, so a sanitizer sees nothing but our own code.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = join(root, 'build', 'cc-tests');
const system = process.platform === 'darwin' ? 'macos' : 'linux';
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const flags = [
  '-std=c++20',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-g',
  '-O1',
  '-fno-omit-frame-pointer',
  '-pthread',
];

function say(line) {
  process.stdout.write(`${line}\n`);
}

function run(command, args) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8' });
}

function findCompiler() {
  const candidates = [process.env.CXX, 'c++', 'g++', 'clang++'].filter(
    (name) => name !== undefined && name !== '',
  );
  return candidates.find((name) => run(name, ['--version']).status === 0);
}

function whyNoSanitizers(compiler) {
  const source = join(output, 'probe.cc');
  const binary = join(output, 'probe');
  writeFileSync(source, 'int main() { return 0; }\n');
  const build = run(compiler, [...sanitizers, source, '-o', binary]);
  if (build.status !== 0) return build.stderr.trim().split('\n').at(-1) ?? 'the compiler refuses the flags';
  const probe = run(binary, []);
  return probe.status === 0
    ? null
    : probe.stderr.trim().split('\n')[0] || `a probe ended with ${probe.status}`;
}

function sources(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(folder, name));
}

function main() {
  mkdirSync(output, { recursive: true });
  const compiler = findCompiler();
  if (compiler === undefined) {
    say('no C++ compiler found (tried $CXX, c++, g++, clang++)');
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  const reason = whyNoSanitizers(compiler);
  say(reason === null ? `${compiler} with ASan and UBSan` : `${compiler} without sanitizers: ${reason}`);
  const binary = join(output, 'tests');
  const files = ['alloc', 'os', 'ipc', `ipc/${system}`, 'test'].flatMap(sources);
  const extra = reason === null ? sanitizers : [];
  const build = run(compiler, [...flags, ...extra, '-I', root, ...files, '-o', binary]);
  if (build.status !== 0) {
    say(build.stderr);
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  const tests = spawnSync(binary, { cwd: root, stdio: 'inherit' });
  if (tests.status === null || tests.status > 1) {
    say(`the tests ended with ${tests.signal ?? `exit code ${tests.status}`}`);
    say('0 passed, 1 failed, 0 skipped');
    return 1;
  }
  return tests.status;
}

process.exitCode = main();
