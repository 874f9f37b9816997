/** `nautilus doctor`: looks at this machine and says what it has, what is missing, why, and what to type. */
import { fileURLToPath } from 'node:url';
import { detectDevices, macVerification, probeHost } from '@nautilus/native';
import { findingsOf, renderFindings } from './findings.ts';

/** Where docs/ lies, seen from the compiled file and from the source alike. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Answers the exit code: a machine without a GPU is no failure. */
export function doctor({ json }: { readonly json: boolean }): number {
  const findings = findingsOf({ host: probeHost(), devices: detectDevices(), mac: macVerification(root) });
  process.stdout.write(`${json ? JSON.stringify(findings) : renderFindings(findings)}\n`);
  return 0;
}
