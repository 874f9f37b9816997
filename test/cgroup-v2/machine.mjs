/**
 * A small virtual machine with cgroup v2, made of what this host has: its Debian cloud kernel, its node, its shell.
 * One ext4 image, written anew for each run in about a second; nothing is downloaded.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const emulator = 'qemu-system-x86_64';
const packages = ['qemu-system-x86', 'linux-image-cloud-amd64', 'e2fsprogs'];
const memoryMiB = 1024;
const imageMiB = 768;

/** Null when the machine can be made here; else why not and what to type. */
export function whyNoMachine() {
  if (process.platform !== 'linux')
    return `the machine is made of this host's Linux, found ${process.platform}`;
  if (process.arch !== 'x64') return `the machine runs this host's node on x86-64, found ${process.arch}`;
  const lacking = [
    spawnSync(emulator, ['--version']).status === 0 ? null : packages[0],
    findKernel() === null ? packages[1] : null,
    spawnSync('mke2fs', ['-V']).status === 0 ? null : packages[2],
  ].filter((name) => name !== null);
  return lacking.length === 0
    ? null
    : `${lacking.join(', ')} not found; type: sudo apt-get install ${lacking.join(' ')}`;
}

/** Only asked for on machines that are thrown away: it puts another kernel under /boot. */
export function installMachine() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 2, 2], env };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

function findKernel() {
  const versions = existsSync('/boot')
    ? readdirSync('/boot')
        .map((name) => /^vmlinuz-(.*-cloud-amd64)$/.exec(name)?.[1])
        .filter((version) => version !== undefined && existsSync(`/boot/initrd.img-${version}`))
    : [];
  const newest = versions.sort(new Intl.Collator('en', { numeric: true }).compare).at(-1);
  return newest === undefined
    ? null
    : { image: `/boot/vmlinuz-${newest}`, initrd: `/boot/initrd.img-${newest}` };
}

/** `suite`: a folder of compiled modules; `program`: the one of them that is run. */
export function buildImage({ folder, suite, program }) {
  const tree = join(folder, 'tree');
  rmSync(tree, { recursive: true, force: true });
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'bin', 'etc']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  copyProgram(tree, process.execPath, '/usr/bin/node');
  copyProgram(tree, '/bin/sh', '/bin/sh');
  copyProgram(
    tree,
    execFileSync('sh', ['-c', 'command -v mount'], { encoding: 'utf8' }).trim(),
    '/bin/mount',
  );
  cpSync(suite, join(tree, 'suite'), { recursive: true });
  writeFileSync(join(tree, 'suite', 'package.json'), '{ "type": "module" }\n');
  // The console is the kernel's; the second port carries the result and nothing else.
  const init = `#!/bin/sh
export PATH=/usr/bin:/bin
mount -t cgroup2 none /sys/fs/cgroup
node /suite/${program} > /dev/ttyS1
echo "the suite ended with $?"
echo s > /proc/sysrq-trigger
echo o > /proc/sysrq-trigger
while :; do read -r line; done
`;
  writeFileSync(join(tree, 'init'), init);
  chmodSync(join(tree, 'init'), 0o755);
  const image = join(folder, 'disk.img');
  rmSync(image, { force: true });
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', '-d', tree, image, `${imageMiB}M`]);
  return image;
}

/** With the libraries that the loader names. */
function copyProgram(tree, from, to) {
  const copy = (source, target) => {
    mkdirSync(join(tree, dirname(target)), { recursive: true });
    copyFileSync(realpathSync(source), join(tree, target));
  };
  copy(from, to);
  chmodSync(join(tree, to), 0o755);
  for (const [library] of execFileSync('ldd', [from], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
    copy(library, library);
  }
}

/** Boots the image; resolves when the machine is off or the time is over. `onLine` gets the result line by line. */
export async function boot({ image, console, accelerator, deadlineMs, onLine }) {
  const kernel = findKernel();
  const machine = spawn(
    emulator,
    [
      ...['-machine', 'q35', '-accel', accelerator, '-cpu', 'max', '-smp', '2', '-m', String(memoryMiB)],
      ...['-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot'],
      ...['-serial', `file:${console}`, '-serial', 'stdio'],
      ...['-kernel', kernel.image, '-initrd', kernel.initrd],
      ...['-drive', `file=${image},if=virtio,format=raw,cache=unsafe`],
      ...['-append', 'console=ttyS0 root=/dev/vda rw init=/init quiet psi=1 cgroup_no_v1=all'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    machine.kill('SIGKILL');
  }, deadlineMs);
  createInterface({ input: machine.stdout }).on('line', (line) => onLine(line.replaceAll('\r', '')));
  const code = await new Promise((resolve, reject) => {
    machine.on('error', reject);
    machine.on('close', resolve);
  });
  clearTimeout(limit);
  return { isLate, code };
}
