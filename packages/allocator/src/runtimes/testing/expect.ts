/** What tests of runtimes on real kernels need around an assertion: a figure that is there, a moment that comes. */
import assert from 'node:assert/strict';
import type { Observation, Runtime } from '../runtime.ts';
import { realTiming } from './bench.ts';

export async function observed(runtime: Runtime, id: string): Promise<Observation> {
  const seen = await runtime.observe(id);
  assert.equal(seen.kind, 'observation', seen.kind === 'gone' ? seen.reason : '');
  return seen as Observation;
}

export async function until(what: string, isSo: () => boolean, deadlineMs = 10_000): Promise<void> {
  const endMs = realTiming.monotonic() + deadlineMs;
  while (!isSo()) {
    assert.ok(realTiming.monotonic() < endMs, `not within ${deadlineMs} ms: ${what}`);
    await realTiming.sleep(5);
  }
}

export function bytes(figure: number | null): number {
  assert.ok(figure !== null, 'the figure is missing');
  return figure;
}
