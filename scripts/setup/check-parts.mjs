/**
 * What the checks can use beyond what the product needs: engines, drivers, compilers with sanitizers, peers to measure
 * against. CI installs them, so that a new machine checks as much as an old one; what cannot be had is named, and the
 * checks that want it skip with their reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { onPath, run, say } from './steps.mjs';

/** Each row installs or fails alone: one missing package must not cost the others. */
const parts = [
  {
    what: 'a compiler with libFuzzer and an Objective-C++ front end',
    packages: ['clang', 'libclang-rt-14-dev'],
  },
  {
    what: 'the Vulkan headers, a software device and its tools',
    packages: ['libvulkan-dev', 'mesa-vulkan-drivers', 'vulkan-tools', 'vulkan-validationlayers'],
  },
  { what: 'the compiler of shaders', packages: ['glslang-tools'] },
  { what: 'a Docker engine', packages: ['docker.io', 'iptables', 'docker-compose', 'debootstrap'] },
  { what: 'Prometheus and its tools', packages: ['prometheus', 'prometheus-alertmanager'] },
  { what: 'network namespaces', packages: ['iproute2'] },
  { what: 'a browser', packages: ['chromium'] },
  {
    what: 'allocators to measure against',
    packages: ['libmimalloc-dev', 'libjemalloc-dev', 'libgoogle-perftools-dev', 'libboost-dev'],
  },
];

const policy = '/usr/sbin/policy-rc.d';

function isInstalled(name) {
  const found = spawnSync('dpkg', ['-s', name], { encoding: 'utf8' });
  return found.status === 0 && found.stdout.includes('install ok installed');
}

export function installCheckParts() {
  if (process.env.CI !== 'true') return;
  if (process.platform !== 'linux' || onPath('apt-get') === null || process.getuid?.() !== 0) {
    say(
      'parts for checks are installed as root on Debian only; what is missing here is skipped with its reason',
    );
    return;
  }
  const wanted = parts
    .map(({ what, packages }) => ({ what, packages: packages.filter((name) => !isInstalled(name)) }))
    .filter(({ packages }) => packages.length > 0);
  if (wanted.length === 0) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  // Packages must not start services of their own: the checks start, on free ports, what they need, and end it.
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    for (const { what, packages } of wanted) {
      say(`installing ${packages.join(', ')}: ${what}`);
      const ended = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
      if (ended !== 0) say(`could not be had: ${what}; the checks that need it are skipped`);
    }
  } finally {
    if (isOurs) run('rm', ['-f', policy]);
  }
}
