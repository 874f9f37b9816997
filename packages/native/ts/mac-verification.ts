// Whether a Mac has run the Metal and Core ML devices: said by a log that `npm run verify:mac` wrote there and somebody
// committed, and by nothing else. Whoever lists devices to a person shows this beside them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type MacVerification =
  | { readonly verified: false; readonly reason: string }
  | { readonly verified: true; readonly file: string; readonly date: string };

/** Relative to the root of the repository. */
export const verificationFolder = 'docs/verification';

/** What scripts/mac-log.mjs calls them; a log without one of them shows less than all. */
const neededSteps = ['addon builds', 'C++ tests', 'TypeScript tests', 'latencies', 'soak', 'findings'];
const leastSoakMinutes = 10;

/** The newest log counts, also when an older one was better: the code has changed since. */
export function macVerification(root: string): MacVerification {
  const folder = join(root, verificationFolder);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const newest = names
    .filter((name) => /^mac-\d{4}-\d{2}-\d{2}\.json$/.test(name))
    .sort()
    .at(-1);
  if (newest === undefined) {
    return {
      verified: false,
      reason: 'no Mac has run Metal or Core ML here yet; on one, type: npm run verify:mac',
    };
  }
  const file = `${verificationFolder}/${newest}`;
  const reason = whyNot(readFileSync(join(folder, newest), 'utf8'));
  if (reason !== null) return { verified: false, reason: `${file}: ${reason}` };
  return { verified: true, file, date: newest.slice('mac-'.length, -'.json'.length) };
}

function whyNot(text: string): string | null {
  let log: unknown;
  try {
    log = JSON.parse(text);
  } catch (error) {
    return `not JSON: ${(error as Error).message}`;
  }
  if (
    !isRecord(log) ||
    log['format'] !== 1 ||
    !Array.isArray(log['failures']) ||
    !Array.isArray(log['steps'])
  ) {
    return 'not a log of format 1';
  }
  const failures: readonly unknown[] = log['failures'];
  if (failures.length > 0) return `${failures.length} failed, first: ${String(failures[0])}`;
  const steps: readonly unknown[] = log['steps'];
  const passed = steps.filter(isRecord).filter((step) => step['passed'] === true);
  const missing = neededSteps.find((name) => !passed.some((step) => step['name'] === name));
  if (missing !== undefined) return `${missing}: did not pass`;
  const minutes = log['minutes'];
  if (typeof minutes !== 'number' || minutes < leastSoakMinutes) {
    return `the soak took ${String(minutes)} minutes, at least ${leastSoakMinutes} are needed`;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
