/**
 * What a fresh machine needs before any code of ours can run: Node, packages, a compiler, nats-server, the build.
 * Plain JavaScript without dependencies, because it runs before `npm ci`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a command with its output on standard error, because standard output may belong to a result. */
export function run(command, args, options = {}) {
  const { env, ...rest } = options;
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...env },
    ...rest,
  });
  if (result.error) throw new Stop(`${command} cannot be run: ${result.error.message}`);
  return result.status ?? 1;
}

/** A reason to end that a person can act on. */
export class Stop extends Error {}

export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return null;
}

export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Stop(
    `Node ${process.versions.node} is too old: 20.19 or newer is needed. Install it and run the command again.`,
  );
}

/** `npm ci`, unless the installed packages already belong to this lock file. */
export function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.nautilus-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  say('installing packages (npm ci)');
  if (run('npm', ['ci', '--no-audit', '--no-fund']) !== 0)
    throw new Stop('npm ci failed; its output is above.');
  writeFileSync(marker, lock);
}

const isRoot = () => process.getuid?.() === 0;

/** With apt where it may, with brew on a Mac, else the sentence that says what to type. */
function installSystemPackages(packages, why) {
  if (process.platform === 'linux' && onPath('apt-get') !== null && isRoot()) {
    say(`installing ${packages.join(', ')} with apt-get: ${why}`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env });
    return run('apt-get', ['install', '-y', '-qq', ...packages], { env }) === 0;
  }
  if (process.platform === 'darwin' && onPath('brew') !== null) {
    say(`installing ${packages.join(', ')} with brew: ${why}`);
    return run('brew', ['install', ...packages]) === 0;
  }
  return false;
}

export function requireCompiler() {
  if (onPath('c++') !== null && onPath('make') !== null && onPath('python3') !== null) return;
  const isMac = process.platform === 'darwin';
  if (!isMac && installSystemPackages(['g++', 'make', 'python3'], 'the native layer is compiled here'))
    return;
  throw new Stop(
    isMac
      ? 'A C++ compiler is needed for the native layer. Type: xcode-select --install'
      : 'g++, make and python3 are needed for the native layer. Type: sudo apt-get install g++ make python3',
  );
}

export function requireNatsServer() {
  if (process.env.NATS_URL !== undefined || onPath('nats-server') !== null) return;
  if (installSystemPackages(['nats-server'], 'services talk over NATS') && onPath('nats-server') !== null)
    return;
  throw new Stop(
    'nats-server was not found. Type one of:\n' +
      '  sudo apt-get install nats-server      (Debian, Ubuntu)\n' +
      '  brew install nats-server              (macOS)\n' +
      '  NATS_URL=nats://HOST:4222 npm run up  (a server you have)',
  );
}

export function build() {
  say('building');
  if (run('npm', ['run', 'build', '--silent']) !== 0)
    throw new Stop('The build failed; its output is above.');
}

/** Only the native layer: tests run TypeScript from source. */
export function buildNative() {
  say('building the native layer');
  if (run('npm', ['run', 'build:addon', '--silent', '-w', '@nautilus/native']) !== 0) {
    throw new Stop('The native layer did not build; the output of the compiler is above.');
  }
}

export function say(text) {
  process.stderr.write(`• ${text}\n`);
}

/** Runs the steps of a command; a reason to stop is printed without a stack. */
export async function main(steps) {
  try {
    process.exitCode = (await steps()) ?? 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
