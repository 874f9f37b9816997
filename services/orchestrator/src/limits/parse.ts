/** The edge of the limit policy: observations, settings and checkpoints are checked here and trusted behind. */
import { fail, ok, policies, type Result } from '@nautilus/contracts';
import { bucketCount } from './history.ts';
import {
  type LimitHistory,
  type LimitObservation,
  type LimitSettings,
  type LimitState,
  type LimitTuning,
  resizeContracts,
} from './types.ts';

/** Answers what is needed instead, or null. */
type Check = (value: unknown) => string | null;
/** By the name of each field; a shape inside is that of an object inside. */
interface Shape {
  readonly [field: string]: Check | Shape;
}

/** Room for sums and margins in the numbers that stay exact. */
const mostBytes = 2 ** 50;

const count: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'a whole number from 0';
const bytes: Check = (value) =>
  count(value) === null && (value as number) <= mostBytes ? null : 'whole bytes from 0 to 1 PiB';
const size: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 2 * mostBytes ? null : 'bytes from 0';
const someBytes: Check = (value) =>
  bytes(value) === null && value !== 0 ? null : 'whole bytes from 1 to 1 PiB';
const flag: Check = (value) => (typeof value === 'boolean' ? null : 'true or false');
const share: Check = (value) =>
  typeof value === 'number' && value >= 0 && value <= 10 ? null : 'from 0 to 10';
const duration: Check = (value) =>
  count(value) === null && value !== 0 ? null : 'whole milliseconds from 1';
const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && names.includes(value) ? null : `one of ${names.join(', ')}`;
const sizes =
  (most: number): Check =>
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= most &&
    value.every((one) => size(one) === null)
      ? null
      : `1 to ${most} numbers of bytes`;

const observation: Record<keyof LimitObservation, Check> = {
  at: count,
  workingSetBytes: bytes,
  peakBytes: bytes,
  limitBytes: someBytes,
  oomKills: count,
  stalls: count,
  started: flag,
  controllerRestarted: flag,
};

const tuningChecks: Record<keyof LimitTuning, Check> = {
  safetyMargin: share,
  baseMargin: share,
  riseShare: share,
  riseMs: duration,
  mostRise: share,
  wideningMs: count,
  coldStartMs: count,
  bucketMs: duration,
  peakMs: duration,
  raiseBand: share,
  lowerBand: share,
  coolDownMs: count,
  mostCut: share,
  bump: share,
  bumpBytes: bytes,
  scarHalfLifeMs: duration,
  killWeight: share,
  stallWeight: share,
  forgottenWeight: share,
  mostGapMs: duration,
  staleAfterMs: count,
  quietSteps: count,
};

export function parseObservation(value: unknown, container: string): Result<LimitObservation> {
  const wrong = firstWrong(value, observation);
  if (wrong !== null) {
    return fail(
      'invalid_request',
      `observation of ${container}: ${wrong}; it is left out, its limit stays as it is`,
    );
  }
  const found = value as LimitObservation;
  // A working set can be read after the peak was taken, and is then the newer peak.
  return ok({ ...found, peakBytes: Math.max(found.peakBytes, found.workingSetBytes) });
}

export function parseSettings(value: unknown, container: string): Result<LimitSettings> {
  const settings = value as LimitSettings;
  const wrong =
    firstWrong(value, {
      minimumBytes: bytes,
      maximumBytes: someBytes,
      policy: oneOf(policies),
      resize: oneOf(resizeContracts),
      tuning: tuningChecks,
    }) ?? contradiction(settings);
  return wrong === null ? ok(settings) : fail('config_invalid', `limits of ${container}: ${wrong}`);
}

/** Of a checkpoint. Without its state a container starts cold, which is safe: its limit is its maximum. */
export function parseState(value: unknown, tuning: LimitTuning, container: string): Result<LimitState> {
  const most = bucketCount(tuning.peakMs, tuning.bucketMs);
  const wrong = firstWrong(value, {
    at: count,
    observedMs: count,
    limitBytes: bytes,
    changedAtMs: count,
    foreign: flag,
    history: {
      peaks: sizes(most),
      rises: sizes(most),
      bucketStartMs: count,
      lowBeforeBytes: bytes,
      lowBytes: bytes,
      lowStartMs: count,
      highWaterBytes: bytes,
    } satisfies Record<keyof LimitHistory, Check>,
    ...(hasScar(value) ? { scar: { guardBytes: size, weight: share, atMs: count } } : {}),
    quietSteps: count,
  } satisfies Partial<Record<keyof LimitState, Check | Shape>>);
  if (wrong === null) return ok(value as LimitState);
  return fail('config_invalid', `checkpoint of ${container}: ${wrong}; remove it to start cold`);
}

function hasScar(state: unknown): boolean {
  return (state as { scar?: unknown } | null)?.scar !== null;
}

function contradiction({ minimumBytes, maximumBytes, tuning }: LimitSettings): string | null {
  if (minimumBytes > maximumBytes) {
    return `the minimum ${minimumBytes} is above the maximum ${maximumBytes}; lower it, or raise the maximum`;
  }
  if (tuning.mostGapMs > tuning.bucketMs) {
    return `mostGapMs ${tuning.mostGapMs} is above bucketMs ${tuning.bucketMs}: a step would skip a bucket`;
  }
  return tuning.mostCut > 1 ? `mostCut ${tuning.mostCut} is above 1, all that there is` : null;
}

function firstWrong(value: unknown, shape: Shape, path = ''): string | null {
  if (typeof value !== 'object' || value === null) {
    return `${path === '' ? 'found' : `${path} is`} ${show(value)}, needed: an object`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [name, check] of Object.entries(shape)) {
    const full = path === '' ? name : `${path}.${name}`;
    if (typeof check !== 'function') {
      const wrong = firstWrong(fields[name], check, full);
      if (wrong !== null) return wrong;
      continue;
    }
    const needed = check(fields[name]);
    if (needed !== null) return `${full} is ${show(fields[name])}, needed: ${needed}`;
  }
  return null;
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing').slice(0, 60);
}
