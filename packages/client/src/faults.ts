/**
 * Every error that leaves this package is a `NautilusError` with a code of the contracts. What the native layer and
 * the agent say in their own words is translated here and nowhere else.
 */
import { type ErrorCode, isErrorCode, NautilusError } from '@nautilus/contracts';
import { NativeError, type NativeErrorCode } from '@nautilus/native';

const nativeCodes = {
  invalid_argument: 'invalid_request',
  closed: 'already_released',
  out_of_memory: 'out_of_memory',
  storage_full: 'storage_full',
  descriptors_exhausted: 'descriptors_exhausted',
  permission_denied: 'permission_denied',
  not_found: 'unavailable',
  address_in_use: 'host_taken',
  unsupported: 'unsupported',
  too_large: 'invalid_size',
  backpressure: 'overloaded',
  unknown_block: 'unknown_block',
  order_violation: 'invalid_request',
  device_lost: 'unavailable',
  device_failed: 'unavailable',
  system: 'internal',
} as const satisfies Record<NativeErrorCode, ErrorCode>;

/** The same error in the language of the contracts; `doing` says in what it happened. */
export function toNautilusError(error: unknown, doing: string): NautilusError {
  if (error instanceof NautilusError) return error;
  if (error instanceof NativeError) {
    const details = { native: error.code, errno: error.errno, syscall: error.syscall };
    return new NautilusError(
      { code: nativeCodes[error.code] ?? 'internal', message: `${doing}: ${error.message}`, details },
      { cause: error },
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  return new NautilusError({ code: 'internal', message: `${doing}: ${message}` }, { cause: error });
}

/** Runs native work; what it throws comes out translated. */
export function translated<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toNautilusError(error, doing);
  }
}

/** A fault that the agent sent over its socket. A code of a newer agent is kept in the details. */
export function fromWire(
  fault: { code: string; message: string; details?: Readonly<Record<string, unknown>> | undefined },
  doing: string,
): NautilusError {
  const details = fault.details ?? {};
  const message = `${doing}: ${fault.message}`;
  if (isErrorCode(fault.code)) return new NautilusError({ code: fault.code, message, details });
  return new NautilusError({ code: 'internal', message, details: { ...details, code: fault.code } });
}

/** Use of something that was closed before. */
export function alreadyClosed(what: string): NautilusError {
  return new NautilusError({ code: 'already_released', message: `${what} is closed` });
}
