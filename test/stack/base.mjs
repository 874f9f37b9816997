/**
 * Bases for the stack where no registry is at hand: one Debian tree with this host's Node, imported under every name
 * that the compose file and the Dockerfile use, so that those stay the ones that people run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const packages = ['g++', 'make', 'python3', 'ca-certificates', 'busybox', 'nats-server', 'prometheus'];

/** What the published images bear: the name, and how their process starts. */
const stand = [
  { name: /^FROM (node:\S+) AS/m, of: 'deploy/images/Dockerfile', changes: [] },
  { name: /^FROM (node:\S+-slim)$/m, of: 'deploy/images/Dockerfile', changes: [] },
  { name: /image: (nats:\S+)/, of: 'docker-compose.yml', changes: ['ENTRYPOINT ["nats-server"]'] },
  {
    name: /image: (prom\/prometheus:\S+)/,
    of: 'docker-compose.yml',
    changes: [
      'ENTRYPOINT ["prometheus"]',
      'CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]',
    ],
  },
];

/** The tree is made once a machine: it takes half a minute to fetch and holds nothing of ours. */
export function debianTree(folder) {
  const tree = join(folder, 'bookworm');
  const done = join(folder, 'bookworm.done');
  if (existsSync(done) && readFileSync(done, 'utf8') === packages.join()) return tree;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = ['--variant=minbase', `--include=${packages.join()}`, 'bookworm', tree];
  const made = spawnSync('debootstrap', options, { stdio: ['ignore', 2, 2] });
  if (made.status !== 0) throw new Error(`debootstrap ended with ${made.status ?? made.signal}`);
  addNode(tree);
  symlinkSync('/bin/busybox', join(tree, 'usr/bin/wget'));
  execFileSync('chroot', [tree, 'sh', '-c', 'useradd -u 1000 -m node; mkdir -p /prometheus']);
  execFileSync('sh', ['-c', `printf %s '${packages.join()}' > '${done}'`]);
  return tree;
}

function addNode(tree) {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  copyFileSync(process.execPath, join(tree, 'usr/bin/node'));
  const npm = [join(prefix, 'lib/node_modules/npm'), join(prefix, 'share/npm')].find((path) =>
    existsSync(path),
  );
  if (npm === undefined) throw new Error(`no npm beside ${process.execPath}`);
  cpSync(npm, join(tree, 'usr/lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`/usr/lib/node_modules/npm/bin/${name}-cli.js`, join(tree, 'usr/bin', name));
  // Headers for addons: node-gyp would download them.
  cpSync(join(prefix, 'include/node'), join(tree, 'usr/include/node'), { recursive: true });
  const settings = join(homedir(), '.npmrc');
  if (existsSync(settings)) copyFileSync(settings, join(tree, 'root/.npmrc'));
  const bundle = process.env.NODE_EXTRA_CA_CERTS;
  if (bundle !== undefined) copyFileSync(bundle, join(tree, 'etc/ssl/certs/ca-certificates.crt'));
}

export function importBases(root, tree, docker) {
  const names = [];
  for (const { name, of, changes } of stand) {
    const found = name.exec(readFileSync(join(root, of), 'utf8'))?.[1];
    if (found === undefined) throw new Error(`${of} names no image that matches ${name}`);
    const environment = 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt';
    const flags = [environment, ...changes].map((change) => `--change '${change}'`).join(' ');
    docker('sh', ['-c', `tar -C '${tree}' -c . | docker import ${flags} - '${found}'`]);
    names.push(found);
  }
  return names;
}
