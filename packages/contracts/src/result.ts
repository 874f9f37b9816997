/**
 * Errors that a caller acts on are values. A `Result` is either the answer or a fault with a stable code;
 * exceptions are left for bugs.
 */
import type { ErrorCode } from './errors.ts';

/** What went wrong, for a program (`code`, `details`) and for a person (`message`: the thing, the found value, the remedy). */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function fail(
  code: ErrorCode,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault: details === undefined ? { code, message } : { code, message, details } };
}

/** A fault on its way through code that throws: the client library and the bus raise it, `toFault` takes it back. */
export class NautilusError extends Error {
  override readonly name = 'NautilusError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(fault: Fault, options?: { cause?: unknown }) {
    super(fault.message, options);
    this.code = fault.code;
    this.details = fault.details ?? {};
  }

  toFault(): Fault {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** The value, or the fault thrown as a `NautilusError`. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new NautilusError(result.fault);
}
