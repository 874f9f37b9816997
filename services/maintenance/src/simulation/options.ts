/** The options of the simulation; a wrong one says what it is, what was found, and what to write. */
import { parseArgs } from 'node:util';
import { zones } from './zones.ts';

export interface SimulationOptions {
  readonly years: number;
  readonly zones: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Throws a `RangeError` for a number that is none, and what `parseArgs` throws for an option that does not exist. */
export function readOptions(args: readonly string[]): SimulationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      years: { type: 'string', default: '10' },
      zones: { type: 'string', default: '6' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (key: 'years' | 'zones' | 'seed', most: number) => {
    const value = Number(values[key]);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new RangeError(`--${key} is "${values[key]}"; write a whole number from 1 to ${most}`);
  };
  return {
    years: whole('years', 100),
    zones: whole('zones', zones.length),
    seed: whole('seed', 1_000_000),
    json: values.json,
  };
}
