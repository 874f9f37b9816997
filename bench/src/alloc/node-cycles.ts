/** A million blocks begun and ended in a process of its own: what that costs the collector and the memory. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { blockLoop, openRig } from './node-loops.ts';

const cycles = 1_000_000;
const majorKind = 4;

export interface Cycles {
  readonly majorCollections: number;
  readonly rssBefore: number;
  readonly rssAfter: number;
}

async function run(): Promise<Cycles> {
  let majorCollections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if ((entry as { detail?: { kind?: number } }).detail?.kind === majorKind) majorCollections += 1;
  });
  observer.observe({ entryTypes: ['gc'] });
  using rig = openRig('slab');
  const loop = blockLoop(rig, 4096);
  loop(cycles);
  await setTimeout(200);
  // The first million warms up compiler and heap, as the first minute of a service does.
  majorCollections = 0;
  const rssBefore = process.memoryUsage.rss();
  loop(cycles);
  await setTimeout(200);
  const rssAfter = process.memoryUsage.rss();
  observer.disconnect();
  return { majorCollections, rssBefore, rssAfter };
}

console.log(JSON.stringify(await run()));
