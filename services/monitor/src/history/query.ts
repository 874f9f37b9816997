/** A question to the history, answered in steps of time. A step without a measurement is a gap, and stays one. */
import type { HistoryPoint } from '@nautilus/contracts';
import type { NamedRow } from './file-reader.ts';

export interface Question {
  /** Unix milliseconds; the first step begins at `from`, the last one ends at or behind `to`. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
  /** Names, or beginnings of names that end with `*`. */
  readonly series: readonly string[];
}

interface Step {
  minimum: number;
  maximum: number;
  sum: number;
  count: number;
  last: number;
}

/** More points were asked for than an answer may have. */
export class TooManyPoints extends Error {
  override readonly name = 'TooManyPoints';
  readonly series: number;

  constructor(series: number) {
    super(`${series} series`);
    this.series = series;
  }
}

export class Answer {
  readonly #question: Question;
  readonly #steps = new Map<string, (Step | undefined)[]>();
  /** Of the names that were seen last: which of them are asked for, by number. */
  #names: readonly string[] = [];
  #wanted: { readonly number: number; readonly steps: (Step | undefined)[] }[] = [];
  #known = 0;

  readonly #mostSeries: number;

  /** Throws `TooManyPoints` when more series than these turn out to be asked for. */
  constructor(question: Question, mostSeries = Number.POSITIVE_INFINITY) {
    this.#question = question;
    this.#mostSeries = mostSeries;
  }

  take({ at, values, names }: NamedRow): void {
    if (names !== this.#names || names.length !== this.#known) this.#learn(names);
    const { from, stepMs } = this.#question;
    const index = Math.floor((at - from) / stepMs);
    for (const { number, steps } of this.#wanted) {
      const value = values[number];
      if (value === undefined || Number.isNaN(value)) continue;
      const step = steps[index];
      if (step === undefined)
        steps[index] = { minimum: value, maximum: value, sum: value, count: 1, last: value };
      else {
        if (value < step.minimum) step.minimum = value;
        if (value > step.maximum) step.maximum = value;
        step.sum += value;
        step.count += 1;
        step.last = value;
      }
    }
  }

  /** By name; null is a gap. */
  points(): Map<string, (HistoryPoint | null)[]> {
    const { from, to, stepMs } = this.#question;
    const count = Math.floor((to - from) / stepMs) + 1;
    return new Map(
      [...this.#steps]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, steps]) => [
          name,
          Array.from({ length: count }, (_, index) => {
            const step = steps[index];
            if (step === undefined) return null;
            const { minimum, maximum, sum, count: measured, last } = step;
            return { minimum, maximum, mean: sum / measured, last };
          }),
        ]),
    );
  }

  #learn(names: readonly string[]): void {
    if (names !== this.#names) this.#wanted = [];
    const from = names === this.#names ? this.#known : 0;
    this.#names = names;
    this.#known = names.length;
    for (let number = from; number < names.length; number += 1) {
      const name = names[number] as string;
      if (!matches(name, this.#question.series)) continue;
      const steps = this.#steps.get(name) ?? [];
      this.#steps.set(name, steps);
      if (this.#steps.size > this.#mostSeries) throw new TooManyPoints(this.#steps.size);
      this.#wanted.push({ number, steps });
    }
  }
}

export function matches(name: string, asked: readonly string[]): boolean {
  return asked.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : each === name));
}
