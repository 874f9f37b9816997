// Test support: something happens between any two accesses that processes share. All of those are made through
// Atomics, so what one side does at each of its instructions is played there, in one process and always the same.

const names = ['load', 'store'] as const;

/**
 * Runs the action, with `between` before its atomic access of this number, counted from 0. What `between` does itself
 * is not interrupted. True when there was such an access: when not, all of them were seen.
 */
export function interruptAt(index: number, between: () => void, action: () => void): boolean {
  const originals = { load: Atomics.load, store: Atomics.store };
  let seen = 0;
  let isInside = false;
  const before = () => {
    if (isInside) return;
    isInside = true;
    try {
      if (seen === index) between();
    } finally {
      seen += 1;
      isInside = false;
    }
  };
  for (const name of names) {
    const original = originals[name] as (...values: unknown[]) => unknown;
    Object.defineProperty(Atomics, name, {
      configurable: true,
      writable: true,
      value: (...values: unknown[]) => {
        before();
        return original.apply(Atomics, values);
      },
    });
  }
  try {
    action();
  } finally {
    for (const name of names)
      Object.defineProperty(Atomics, name, { configurable: true, writable: true, value: originals[name] });
  }
  return seen > index;
}

class Death extends Error {}

/** Runs the action and ends it before its atomic access of this number, as a kill would. */
export function killAt(index: number, action: () => void): boolean {
  try {
    return interruptAt(
      index,
      () => {
        throw new Death();
      },
      action,
    );
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  }
}
