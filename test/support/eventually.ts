/** Waits for something that becomes true by itself, and says what it last saw when it does not. */
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 5;

export async function eventually<T>(
  look: () => T | Promise<T>,
  isRight: (seen: T) => boolean,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<T> {
  const { timeoutMs = 5_000, what = 'condition' } = options;
  const deadline = performance.now() + timeoutMs;
  let seen = await look();
  while (!isRight(seen)) {
    if (performance.now() > deadline) {
      throw new Error(`${what} not reached within ${timeoutMs} ms; last seen: ${JSON.stringify(seen)}`);
    }
    await sleep(pollMs);
    seen = await look();
  }
  return seen;
}
