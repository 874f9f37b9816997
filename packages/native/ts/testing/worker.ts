// Test support: a second thread of this process that runs a few lines against this package, for what happens between
// threads and when one of them ends.

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

const tsx = JSON.stringify(createRequire(import.meta.url).resolve('tsx/esm/api'));
const index = JSON.stringify(new URL('../index.ts', import.meta.url).href);

/**
 * `nautilus` is the package's index in the script, `input` a copy of what was given, and `map` makes a read-write
 * mapping of a descriptor's number; `parentPort` and top-level await are there too.
 */
export function startWorker(script: string, input: unknown): Worker {
  return new Worker(
    `const { parentPort, workerData: input } = require('node:worker_threads');
     require(${tsx}).register();
     import(${index}).then(async (nautilus) => {
       const map = (fd) => nautilus.mapSegment(nautilus.Descriptor.duplicate(fd), { access: 'read-write' });
       ${script}
     });`,
    { eval: true, workerData: input },
  );
}
