// The one error class of this package. C++ throws a code, a message and, when the kernel refused, the
// errno with its syscall; the addon builds the JavaScript error through `makeNativeError`, so that no
// caller needs a try/catch to turn a foreign error into a known one.

export type NativeErrorCode =
  | 'invalid_argument'
  | 'closed'
  | 'out_of_memory'
  | 'storage_full'
  | 'descriptors_exhausted'
  | 'permission_denied'
  | 'not_found'
  | 'address_in_use'
  | 'unsupported'
  | 'too_large'
  | 'backpressure'
  | 'unknown_block'
  | 'order_violation'
  | 'device_lost'
  | 'device_failed'
  | 'system';

export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly code: NativeErrorCode;
  /** The kernel's error number, null when the kernel was not involved. */
  readonly errno: number | null;
  readonly syscall: string | null;

  constructor(
    code: NativeErrorCode,
    message: string,
    errno: number | null = null,
    syscall: string | null = null,
  ) {
    super(message);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Handed to the addon once, when it is loaded. */
export function makeNativeError(
  code: NativeErrorCode,
  message: string,
  errno: number | null,
  syscall: string | null,
): NativeError {
  return new NativeError(code, message, errno, syscall);
}

/** How a refused value is shown in a message: its type and value, never a whole object. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`;
  return `${typeof value} ${String(value)}`;
}

export function invalidArgument(name: string, expected: string, found: unknown): NativeError {
  return new NativeError('invalid_argument', `${name}: expected ${expected}, found ${describeValue(found)}`);
}
