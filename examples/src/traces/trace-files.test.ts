/** The files that are checked in are the recorded ones. */
import { expect, it } from 'vitest';
import { loadTrace, type TraceName } from './trace-files.ts';

it.each<[TraceName, number, number]>([
  ['python', 1_000_000, 609_454],
  ['jq', 196_512, 98_256],
])('%s has its events', async (name, events, blocks) => {
  const trace = await loadTrace(name);
  expect([trace.events, trace.blocks]).toEqual([events, blocks]);
});
