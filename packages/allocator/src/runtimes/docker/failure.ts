/** What can go wrong between the agent and the engine, as few kinds as there are different things to do about it. */

export interface Failure {
  readonly kind: FailureKind;
  /** Of HTTP, where the engine answered at all. */
  readonly status: number | null;
  readonly reason: string;
}

/**
 * `timed-out` and `unreachable` leave open whether the engine did what it was asked: read back. `failed` is the engine's
 * own 5xx, in which a kernel's refusal hides as text; see {@link saysBusy}.
 */
export type FailureKind =
  | 'timed-out'
  | 'unreachable'
  | 'not-found'
  | 'conflict'
  | 'refused'
  | 'failed'
  | 'garbled';

interface Asked {
  readonly method: string;
  readonly path: string;
}

const kinds: Readonly<Record<number, FailureKind>> = { 404: 'not-found', 409: 'conflict' };
const longestReason = 400;

export function failureOfStatus(status: number, body: string, asked: Asked): Failure {
  const kind = kinds[status] ?? (status >= 500 ? 'failed' : 'refused');
  const said = messageIn(body).slice(0, longestReason);
  return { kind, status, reason: `${asked.method} ${asked.path} answered ${status}${said && `: ${said}`}` };
}

export function failureOfError(error: unknown, asked: Asked, socketPath: string): Failure {
  const what = `${asked.method} ${asked.path}`;
  if (error instanceof SyntaxError) {
    return { kind: 'garbled', status: null, reason: `${what} answered no JSON: ${error.message}` };
  }
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const remedy = remedies[code ?? ''];
  if (remedy !== undefined) {
    return { kind: 'unreachable', status: null, reason: `${what}: ${code} at ${socketPath}; ${remedy}` };
  }
  // What Node says of a connection that broke in the middle carries one of many codes, what we say carries none.
  const kind = code === null ? 'garbled' : 'unreachable';
  return { kind, status: null, reason: `${what}: ${error.message}` };
}

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'is the engine running?',
  ECONNREFUSED: 'the socket is left over from an engine that ended',
  EACCES: 'the agent needs to be in the group of the socket',
};

/**
 * A v1 kernel answers EBUSY to a limit below what it cannot reclaim; the engine passes that on as a 500. runc up to 1.1
 * puts it in words of its own.
 */
export function saysBusy({ kind, reason }: Failure): boolean {
  return kind === 'failed' && /device or resource busy|\bEBUSY\b|unable to set memory limit to/i.test(reason);
}

function messageIn(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      return String(parsed.message).trim();
    }
  } catch {
    // Proxies in front of an engine answer in text or HTML.
  }
  return body.trim();
}
