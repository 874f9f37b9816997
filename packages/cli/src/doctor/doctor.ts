/** Looks at this machine: the probes behind `nautilus doctor`. */
import { fileURLToPath } from 'node:url';
import { detectDevices, macVerification, probeHost } from '@nautilus/native';
import type { Machine } from './findings.ts';

/** Where docs/ lies, seen from the compiled file and from the source alike. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));

export function findMachine(): Machine {
  return { host: probeHost(), devices: detectDevices(), mac: macVerification(root) };
}
