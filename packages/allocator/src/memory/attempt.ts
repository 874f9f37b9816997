/** Native work as an answer: what the machine refuses becomes a fault with a code, what is a bug goes on as an exception. */
import { type ErrorCode, fail, ok, type Result } from '@nautilus/contracts';
import { NativeError } from '@nautilus/native';

const nativeCodes: Partial<Record<NativeError['code'], ErrorCode>> = {
  out_of_memory: 'out_of_memory',
  storage_full: 'storage_full',
  descriptors_exhausted: 'descriptors_exhausted',
  permission_denied: 'permission_denied',
  unsupported: 'unsupported',
  unknown_block: 'unknown_block',
};

export function attempt<T>(work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (error) {
    const code = error instanceof NativeError ? nativeCodes[error.code] : undefined;
    if (code === undefined) throw error;
    return fail(code, error instanceof Error ? error.message : String(error));
  }
}
