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

const maxAlignment = 65_536;

export function checkAlignment(name: string, value: number): number {
  // Below 2^31 the bit operators are exact; everything above is refused before.
  if (!Number.isInteger(value) || value < 1 || value > maxAlignment || (value & (value - 1)) !== 0) {
    throw invalidArgument(name, `a power of two from 1 to ${maxAlignment}`, value);
  }
  return value;
}

export function checkPath(name: string, value: string): string {
  if (typeof value !== 'string' || value.length === 0 || value.includes('\0')) {
    throw invalidArgument(name, 'a path that is not empty and holds no NUL', value);
  }
  return value;
}
