/** What a value must be, in words of a configuration file, for schemas that bring no message of their own. */
import type { z } from 'zod';
import { nearest } from './nearest.ts';
import { isMapping } from './path.ts';

const typeTexts: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
};

export function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeTexts[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), issue.input);
    case 'invalid_union':
      if (Array.isArray(issue.options)) {
        const kind = isMapping(issue.input) ? issue.input[issue.discriminator ?? ''] : issue.input;
        return oneOf(issue.options.map(String), kind);
      }
      return alternatives(issue.errors ?? []);
    case 'too_small':
      return bound(
        issue.exact ? 'exactly' : issue.inclusive ? 'at least' : 'more than',
        issue.minimum,
        issue,
      );
    case 'too_big':
      return bound(issue.exact ? 'exactly' : issue.inclusive ? 'at most' : 'less than', issue.maximum, issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `must match ${String(issue.pattern)}`
        : `must be a valid ${issue.format}`;
    default:
      return 'is not valid';
  }
}

function oneOf(values: readonly string[], input: unknown): string {
  if (values.length === 1) return `must be ${values[0]}`;
  const meant = typeof input === 'string' ? nearest(input, values) : null;
  return `must be one of ${values.join(', ')}${meant === null ? '' : `; did you mean "${meant}"?`}`;
}

function bound(word: string, limit: number | bigint, issue: { readonly origin: string }): string {
  if (issue.origin === 'string') return `must have ${word} ${limit} characters`;
  if (issue.origin === 'array' || issue.origin === 'set') return `must have ${word} ${limit} items`;
  return `must be ${word} ${limit}`;
}

function alternatives(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const texts = branches.flatMap((issues) => issues.slice(0, 1).map(({ message }) => message));
  const unique = [...new Set(texts.map((text) => text.replace(/^must be /, '')))];
  return unique.length === 0 ? 'is not valid' : `must be ${unique.join(', or ')}`;
}
