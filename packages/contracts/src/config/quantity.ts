/** Values with units in the configuration: `2GiB`, `5s`, `80%`. A bare number is refused, because nobody knows its unit. */
import { z } from 'zod';
import { byteUnitNames, durationUnitNames, parseBytes, parseDuration } from '../units.ts';

function quantity(kind: string, allowed: string, parse: (text: string) => number | null) {
  return z.unknown().transform((input, context) => {
    const value = typeof input === 'string' ? parse(input) : null;
    if (value !== null) return value;
    context.issues.push({ code: 'custom', input, message: `must be ${kind}, ${allowed}` });
    return z.NEVER;
  });
}

export const bytes = quantity(
  'a size with a unit',
  `such as 2GiB or 512MB (${byteUnitNames.join(', ')})`,
  parseBytes,
);
export const duration = quantity(
  'a duration with a unit',
  `such as 5s or 250ms (${durationUnitNames.join(', ')})`,
  parseDuration,
);

/** 0 to 1 from `80%`. */
export const percentage = quantity('a percentage', 'such as 80%, from 0% to 100%', (text) => {
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim());
  const value = match === null ? Number.NaN : Number(match[1]) / 100;
  return value >= 0 && value <= 1 ? value : null;
});
