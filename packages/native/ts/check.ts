// Checks of what callers pass in, made before the boundary so that the addon sees only numbers it can hold
// exactly: JavaScript numbers are exact integers up to 2^53 - 1, and nothing else is a size.

import { invalidArgument } from './errors.ts';

export function checkBytes(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw invalidArgument(name, 'a whole number of bytes from 1 to 2^53 - 1', value);
  }
  return value;
}

export function checkOffset(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw invalidArgument(name, 'a whole number of bytes from 0 to 2^53 - 1', value);
  }
  return value;
}

export function checkPath(name: string, value: string): string {
  if (typeof value !== 'string' || value.length === 0 || value.includes('\0')) {
    throw invalidArgument(name, 'a path that is not empty and holds no NUL', value);
  }
  return value;
}
