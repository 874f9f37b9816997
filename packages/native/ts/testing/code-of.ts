// Test support: the code of the NativeError that an action throws, so that a test is one line per refusal.

import { NativeError } from '../errors.ts';

export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof NativeError) return error.code;
    throw error;
  }
  return 'no error';
}
