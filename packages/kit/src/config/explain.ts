/** Turns the issues of a schema into problems: the place, the found value, what is allowed. */
import type { z } from 'zod';
import { knownKeys } from './known-keys.ts';
import { nearest } from './nearest.ts';
import { isMapping, type Path, valueAt } from './path.ts';
import type { Origins, Problem } from './problem.ts';
import { foundText, isSecretPath, secretsIn } from './secrets.ts';

export interface Explained {
  readonly schema: z.ZodType;
  readonly data: unknown;
  readonly origins: Origins;
}

export function explain(issue: z.core.$ZodIssue, context: Explained, prefix: Path = []): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.flatMap((key) => explainUnknown([...path, key], context));
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ where: context.origins.of(path), path, message: `this name ${message}` }];
  }
  if (issue.code === 'invalid_union') {
    const branch = closestBranch(issue);
    if (branch !== null) return branch.flatMap((inner) => explain(inner, context, path));
  }
  return [{ where: context.origins.of(path), path, message: describe(issue, path, context.data) }];
}

/** The alternative that was meant: the only one whose outermost type fits, so that its issues lie deeper. */
function closestBranch(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | null {
  const errors: readonly (readonly z.core.$ZodIssue[])[] = issue.errors;
  const fitting = errors.filter((issues) =>
    issues.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
  );
  const [branch] = [...fitting].sort((one, other) => one.length - other.length);
  return branch ?? null;
}

function explainUnknown(path: Path, { schema, origins }: Explained): Problem[] {
  const known = knownKeys(schema, path.slice(0, -1));
  const meant = nearest(String(path.at(-1)), known);
  const message =
    meant === null
      ? `unknown key${known.length === 0 ? '' : `, must be one of ${known.join(', ')}`}`
      : `unknown key, did you mean "${meant}"?`;
  const variables = origins.variablesBelow(path);
  const fromFile = origins.isInFile(path) ? [{ where: origins.of(path), path, message }] : [];
  return [...fromFile, ...variables.map(({ name }) => ({ where: name, path, message }))];
}

function describe(issue: z.core.$ZodIssue, path: Path, data: unknown): string {
  const value = valueAt(data, path);
  const { message } = issue;
  // The default is what a rule across keys found fault with.
  if (value === undefined && issue.input !== undefined) return message;
  if (value === undefined) return `is missing, ${message.replace(/[,;:]? \(?found .*$/, '')}`;
  if (isSecretPath(path)) {
    // A message of the schema may quote the value.
    const isQuoting = secretsIn(value, true).some((secret) => message.includes(secret));
    return `found ${foundText(value, path)}, ${isQuoting ? 'which is not allowed' : message}`;
  }
  const isWhole = issue.code === 'custom' && (isMapping(value) || Array.isArray(value));
  return isWhole || message.includes('found ') ? message : `found ${foundText(value, path)}, ${message}`;
}
