/** The part of the benchmark that needs no Node: the C++ core against its peers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Figure } from '../figure.ts';
import { figuresOf } from './goals.ts';
import { buildHarness, runHarness } from './harness.ts';
import type { Options } from './options.ts';
import { unpackTraces } from './trace-input.ts';

export async function benchCpp({ traces, quick }: Options): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nautilus-bench-'));
  try {
    const inputs = unpackTraces(traces, folder);
    const { measurements, skipped } = await runHarness(buildHarness(), inputs, quick);
    for (const { skipped: peer, reason, remedy } of skipped) {
      process.stderr.write(`• skipped ${peer}: ${reason}.${remedy === '' ? '' : ` Type: ${remedy}`}\n`);
    }
    return figuresOf(measurements, quick);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
