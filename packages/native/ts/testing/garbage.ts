// Test support: garbage collection on demand, for what happens to objects that were forgotten.

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects until the condition holds, at most `rounds` times; whether it holds. */
export async function collectUntil(condition: () => boolean, rounds = 100): Promise<boolean> {
  for (let round = 0; round < rounds && !condition(); round += 1) {
    collect();
    await setImmediate();
  }
  return condition();
}
