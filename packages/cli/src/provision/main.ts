/** The first container of the stack: makes what identities are missing, and ends. `main.js DIRECTORY [UID]` */

import { NautilusError } from '@nautilus/contracts';
import { loadServiceConfig } from '@nautilus/kit';
import { provision } from './provision.ts';

const [directory, uid] = process.argv.slice(2);
const loaded = loadServiceConfig({ argv: [], env: process.env, cwd: process.cwd() });
if (directory === undefined || (uid !== undefined && !/^\d+$/.test(uid))) {
  process.stderr.write(`usage: main.js DIRECTORY [UID], found "${process.argv.slice(2).join(' ')}"\n`);
  process.exitCode = 2;
} else if (!loaded.ok) {
  process.stderr.write(`${loaded.fault.message}\n`);
  process.exitCode = 1;
} else {
  try {
    const { host, containers } = loaded.value;
    const owner = uid === undefined ? null : { uid: Number(uid), gid: Number(uid) };
    const made = provision({ directory, host: host.id, containers: Object.keys(containers), owner });
    const fresh = made.filter(({ isNew }) => isNew).map(({ party }) => party);
    process.stdout.write(
      `${made.length} identities; ${fresh.length === 0 ? 'none was missing' : `new: ${fresh.join(', ')}`}\n`,
    );
  } catch (error) {
    if (!(error instanceof NautilusError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
