// Holds Apple's part of the addon to a compiler on machines without Apple's SDK: clang reads every file for Apple
// silicon against our declarations of what the files use (device/apple/declarations). That proves spelling, types and
// availability as far as the declarations are true, and nothing about running. `node test/apple_syntax.mjs`

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCompiler, root, say } from './toolchain.mjs';

// The oldest system of binding.gyp, whose missing classes must be asked for, and the one that is named to users.
const targets = ['arm64-apple-macos13', 'arm64-apple-macos14'];
const language = ['-std=c++20', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-Wunguarded-availability'];
const objectiveC = ['-x', 'objective-c++', '-fobjc-arc', '-fblocks'];
const probe =
  '#include <atomic>\n#include <map>\n#include <mutex>\n#include <string>\n#include <sys/mman.h>\n';

// Each is a mistake that the check must find: in a file, these words instead of those.
const mistakes = [
  ['device/metal/residency_sets.mm', '[residents requestResidency]', '[residents requestResidence]'],
  ['device/metal/residency_sets.mm', 'if (@available(macOS 15.0, *))', 'if (true)'],
  ['device/metal/metal_buffer.mm', 'options:kShared deallocator:nil', 'options:kShared dealocator:nil'],
  ['device/coreml/run_model.mm', 'initWithPixelBuffer:', 'initWithPixels:'],
  ['device/coreml/surface_buffer.mm', 'kCVPixelBufferIOSurfacePropertiesKey', 'kCVPixelBufferIOSurfaceKey'],
];

function files(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'declarations' ? [] : files(path);
    return /\.(mm|cc)$/.test(entry.name) ? [path] : [];
  });
}

/**
 * Where this clang looks for C++ and C headers by itself. They are the host's, for want of Apple's: the target's names
 * are not in them, so clang is told where they are, that the C library may use its extensions (as C++ always may here),
 * and that `__nonnull`, a word of Apple's compilers, is the C library's own macro.
 */
function hostHeaders(compiler) {
  const listed =
    spawnSync(compiler, ['-E', '-x', 'c++', '-v', '/dev/null'], { encoding: 'utf8' }).stderr ?? '';
  const list = /#include <\.\.\.> search starts here:\n([\s\S]*?)End of search list/.exec(listed)?.[1] ?? '';
  const folders = list.split('\n').map((line) => line.trim());
  // Its own headers, of the processor, are found in any case.
  const own = folders.filter((folder) => folder !== '' && !folder.includes('/lib/clang/'));
  return [
    '-nostdinc++',
    '-nostdlibinc',
    '-U__nonnull',
    '-D_GNU_SOURCE',
    ...own.flatMap((at) => ['-isystem', at]),
  ];
}

const declarations = ['-I', '.', '-isystem', join('device', 'apple', 'declarations')];

/** What clang says against the text of a file, or nothing. */
function check(compiler, headers, target, path, text) {
  const kind = path.endsWith('.mm') ? objectiveC : ['-x', 'c++'];
  const words = [...language, ...kind, '-target', target, ...declarations, ...headers, '-'];
  const outcome = spawnSync(compiler, words, { cwd: root, input: text, encoding: 'utf8', timeout: 120_000 });
  if (outcome.status === 0) return null;
  return (
    outcome.stderr?.trim().replaceAll('<stdin>', path) ||
    `clang ended with ${outcome.signal ?? outcome.status}`
  );
}

function whyNot(compiler, headers) {
  if (process.platform === 'darwin')
    return "this is a Mac, where the build compiles them against Apple's own SDK";
  if (compiler === undefined) return 'no clang found (tried $CXX, clang++, clang++-14 to clang++-20)';
  const said = targets.map((target) => check(compiler, headers, target, 'probe.mm', probe)).find(Boolean);
  return said === undefined
    ? null
    : `the headers of this machine do not read for the target: ${said.split('\n')[0]}`;
}

function isClang(name) {
  return /clang/.test(spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '');
}

function main() {
  const names = [process.env.CXX, 'clang++', ...Array.from({ length: 7 }, (_, at) => `clang++-${14 + at}`)];
  const compiler = findCompiler(
    ...names.filter((name) => name !== undefined && name !== '' && isClang(name)),
  );
  const headers = compiler === undefined ? [] : hostHeaders(compiler);
  const all = files('device');
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const reason = whyNot(compiler, headers);
  if (reason !== null) {
    say(`skipped  syntax of ${all.length} files for Apple silicon: ${reason}`);
    return { ...counts, skipped: all.length + mistakes.length };
  }
  say(`${compiler} for ${targets.join(' and ')}; no Mac has compiled or run these files`);
  const note = (isGood, line) => {
    counts[isGood ? 'passed' : 'failed'] += 1;
    say(`${isGood ? 'passed  ' : 'FAILED  '} ${line}`);
  };
  for (const path of all) {
    const text = readFileSync(join(root, path), 'utf8');
    // Only Objective-C++ asks what a system has.
    const asked = path.endsWith('.mm') ? targets : targets.slice(-1);
    const said = asked.map((target) => check(compiler, headers, target, path, text)).find(Boolean);
    note(said === undefined, said === undefined ? path : `${path}\n${said}`);
  }
  for (const [path, right, wrong] of mistakes) {
    const text = readFileSync(join(root, path), 'utf8');
    const isThere = text.includes(right);
    const isFound =
      isThere && check(compiler, headers, targets[1], path, text.replaceAll(right, wrong)) !== null;
    note(
      isFound,
      `${path} with ${wrong} for ${right}: ${isFound ? 'refused' : isThere ? 'accepted' : 'not there'}`,
    );
  }
  return counts;
}

const { passed, failed, skipped } = main();
say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
