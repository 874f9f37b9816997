/** Two leaders at the same slot, which a suspended process can bring about: one ending, and nothing half-written. */
import type { JobRun } from '@nautilus/contracts';
import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { Life, World } from './simulation/world.ts';

const run = (slot: number, outcome: JobRun['outcome']): JobRun => ({
  run: `clean-up:h1:${slot}`,
  job: 'clean-up',
  host: 'h1',
  slot,
  trigger: 'schedule',
  outcome,
  reason: null,
  startedAt: slot,
  finishedAt: slot + 1,
  report: null,
});

function openLedger(random: () => number) {
  const world = new World(0, random, () => undefined);
  const store = world.ledgerStore(new Life(() => 1, 0));
  const ledger = new Ledger(store as ConstructorParameters<typeof Ledger>[0]);
  return { ledger, record: () => world.records.get('clean-up.h1')?.value };
}

it('keeps the first ending of a slot that is decided twice', async () => {
  const { ledger, record } = openLedger(() => 1);
  await ledger.decide(run(10, 'done'));
  await ledger.decide(run(10, 'failed'));
  await ledger.decide(run(9, 'skipped'), run(10, 'skipped'), run(11, 'skipped'));
  expect(record()?.endings.map(({ slot, outcome }) => [slot, outcome])).toEqual([
    [10, 'done'],
    [11, 'skipped'],
  ]);
  expect(record()).toMatchObject({ lastSlot: 11, failuresInRow: 0 });
});

it('counts failures in a row, and what is skipped changes nothing about them', async () => {
  const { ledger, record } = openLedger(() => 1);
  await ledger.decide(run(1, 'failed'));
  await ledger.decide(run(2, 'skipped'), run(3, 'failed'));
  expect(record()?.failuresInRow).toBe(2);
  await ledger.note(run(4, 'done'), true);
  expect(record()?.failuresInRow).toBe(2);
  await ledger.note(run(5, 'done'), false);
  expect(record()).toMatchObject({ failuresInRow: 0, lastSlot: 3 });
});

it('says so when others are always faster, and writes nothing', async () => {
  const { ledger, record } = openLedger(() => 0);
  await expect(ledger.decide(run(1, 'done'))).rejects.toMatchObject({ code: 'conflict' });
  expect(record()).toBeUndefined();
});
