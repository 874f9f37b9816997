// What the runners of C++ tests share: finding a compiler, asking whether it has a sanitizer, and building objects two
// at a time, again only when something that they include has changed.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const system = process.platform === 'darwin' ? 'macos' : 'linux';
const frameworks = ['CoreFoundation', 'CoreML', 'CoreVideo', 'Foundation', 'IOSurface', 'Metal'];
export const libraries =
  system === 'linux' ? ['-lrt', '-ldl'] : frameworks.flatMap((name) => ['-framework', name]);
const jobs = 2;

export function say(line) {
  process.stdout.write(`${line}\n`);
}

export function findCompiler(...names) {
  return names
    .filter((name) => name !== undefined && name !== '')
    .find((name) => spawnSync(name, ['--version']).status === 0);
}

/** The C++ files of a folder, and on a Mac those in Objective-C++. */
export function sources(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.cc') || (system === 'macos' && name.endsWith('.mm')))
    .map((name) => join(folder, name));
}

/** Everything below the binding. */
export function coreSources() {
  const memfd = system === 'linux' ? 'memfd' : 'no_memfd';
  const segment = ['segment', `segment/${system}`, 'segment/posix', `segment/${memfd}`];
  const device = ['device', 'device/host', 'device/vulkan', 'device/apple'];
  if (system === 'macos') device.push('device/metal', 'device/coreml');
  return ['alloc', 'policy', 'os', `os/${system}`, 'ipc', `ipc/${system}`, ...segment, ...device].flatMap(
    sources,
  );
}

/** Null when a program built with these flags runs; else why it does not. */
export function whyNot(compiler, flags, output, program = 'int main() { return 0; }\n', words = []) {
  mkdirSync(output, { recursive: true });
  const source = join(output, 'probe.cc');
  const binary = join(output, 'probe');
  writeFileSync(source, program);
  const build = spawnSync(compiler, [...flags, source, '-o', binary], { encoding: 'utf8' });
  if (build.status !== 0) return build.stderr.trim().split('\n').at(-1) || 'the compiler refuses the flags';
  const probe = spawnSync(binary, words, { encoding: 'utf8', timeout: 10_000 });
  return probe.status === 0
    ? null
    : probe.stderr.trim().split('\n')[0] || `a probe ended with ${probe.signal ?? probe.status}`;
}

function isFresh(object, dependencies, command) {
  if (!existsSync(object) || !existsSync(dependencies)) return false;
  if (!existsSync(`${object}.command`) || readFileSync(`${object}.command`, 'utf8') !== command) return false;
  const built = statSync(object).mtimeMs;
  const names = readFileSync(dependencies, 'utf8')
    .replace(/^[^:]*:/, '')
    .split(/\\?\s+/);
  return names
    .filter((name) => name !== '')
    .every((name) => existsSync(join(root, name)) && statSync(join(root, name)).mtimeMs < built);
}

function compile(compiler, flags, file, output) {
  const object = join(output, `${file.replaceAll('/', '_')}.o`);
  const dependencies = `${object}.d`;
  const arc = file.endsWith('.mm') ? ['-fobjc-arc'] : [];
  const words = [...flags, ...arc, '-I', '.', '-MMD', '-MF', dependencies, '-c', file, '-o', object];
  const command = [compiler, ...words].join(' ');
  if (isFresh(object, dependencies, command)) return Promise.resolve({ object, error: null });
  return new Promise((resolve) => {
    const child = spawn(compiler, words, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    const errors = [];
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.on('error', (error) => resolve({ object, error: error.message }));
    child.on('close', (status) => {
      if (status !== 0) {
        resolve({
          object,
          error: Buffer.concat(errors).toString() || `${file}: the compiler ended with ${status}`,
        });
        return;
      }
      writeFileSync(`${object}.command`, command);
      resolve({ object, error: null });
    });
  });
}

/** Builds a program; null, or what the compiler said. */
export async function build(compiler, flags, files, output, binary) {
  mkdirSync(output, { recursive: true });
  const queue = [...files];
  const objects = [];
  let failure = null;
  async function worker() {
    for (let file = queue.shift(); file !== undefined && failure === null; file = queue.shift()) {
      const { object, error } = await compile(compiler, flags, file, output);
      objects.push(object);
      failure ??= error;
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker));
  if (failure !== null) return failure;
  const linked = spawnSync(compiler, [...flags, ...objects, '-o', binary, ...libraries], {
    cwd: root,
    encoding: 'utf8',
  });
  return linked.status === 0 ? null : linked.stderr || 'the linker failed';
}
