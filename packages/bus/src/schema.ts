/**
 * The schema types of contracts, by inference: this package parses with the schemas it is given and depends on no
 * schema library of its own.
 */
import type { Exchange } from '@nautilus/contracts';

export type Schema = Exchange['request'];
/** What a sender writes: defaults may be left out. */
export type InputOf<S extends Schema> = S['_zod']['input'];
/** What a receiver gets: parsed, unknown fields dropped. */
export type OutputOf<S extends Schema> = S['_zod']['output'];

/** The first thing wrong with a message, for a person: `pool: must be …, found "X"`. */
export function describeIssue(
  issue: { readonly path: readonly PropertyKey[]; readonly message: string },
  value: unknown,
): string {
  const path = issue.path.map(String).join('.');
  const found = summarise(valueAt(value, issue.path));
  const text = issue.message.includes('found') ? issue.message : `${issue.message}, found ${found}`;
  return path === '' ? text : `${path}: ${text}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

const longestFound = 120;

/** Short enough for one line of a log, whatever a stranger sent: nothing nested is walked, because it may be deep. */
function summarise(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value);
    return shorten(`an object with ${keys.length === 0 ? 'nothing in it' : keys.join(', ')}`);
  }
  return shorten(JSON.stringify(value) ?? typeof value);
}

function shorten(text: string): string {
  return text.length <= longestFound ? text : `${text.slice(0, longestFound)}…`;
}
