/** What a simulation found: figures with their goals for machines, and tables for people. */
import type { Simulated } from './simulate.ts';

export interface SlotFigure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'slots';
  readonly goal?: number;
  readonly ok?: boolean;
}

export function figuresOf(results: readonly Simulated[]): readonly SlotFigure[] {
  const tallies = results.flatMap(({ jobs }) => Object.values(jobs));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const plain = (name: string, value: number): SlotFigure => ({ name, value, unit: 'slots' });
  const never = (name: string, value: number): SlotFigure => ({
    ...plain(name, value),
    goal: 0,
    ok: value === 0,
  });
  return [
    plain('slots of the calendars', sum(tallies.map(({ slots }) => slots))),
    never('with two endings', sum(tallies.map(({ duplicates }) => duplicates))),
    never('without an ending', sum(tallies.map(({ silent }) => silent))),
    never('local dates without a daily slot', sum(tallies.map(({ datesWithoutSlot }) => datesWithoutSlot))),
    never('worked on after their end', sum(results.map(({ wrong }) => wrong.afterItsEnd))),
    never('begun in an emergency', sum(results.map(({ wrong }) => wrong.inEmergency))),
    plain('done again: a death before the ledger', sum(results.map((each) => each.repeated))),
    plain('decided again: clock far ahead, set back', sum(tallies.map(({ again }) => again))),
  ];
}

export function printTables(
  terminal: Console,
  results: readonly Simulated[],
  figures: readonly SlotFigure[],
): void {
  terminal.table(
    results.flatMap(({ zone, jobs }) =>
      Object.entries(jobs).map(([job, tally]) => ({ zone, job, ...tally })),
    ),
  );
  terminal.table(results.map(({ zone, faults }) => ({ zone, ...faults })));
  terminal.table(figures);
}
