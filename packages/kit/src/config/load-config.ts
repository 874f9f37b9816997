/**
 * The configuration of a process: a YAML file, environment variables over it, checked by a schema. Everything that is
 * wrong is told at once, each with its place, the found value and what is allowed; secrets are never told.
 */
import { fail, ok, type Result } from '@nautilus/contracts';
import type { z } from 'zod';
import { applyEnvironment } from './environment.ts';
import { expectation } from './expectation.ts';
import { explain } from './explain.ts';
import { isMapping, type Mapping, replaceAt, valueAt } from './path.ts';
import { Origins, type Problem, problemText } from './problem.ts';
import { defaultConfigFile, readSource } from './read-source.ts';
import { foundText, redact, secretsIn } from './secrets.ts';
import { readYaml } from './yaml-file.ts';

export interface LoadConfigOptions {
  /** A file that must exist; undefined: `nautilus.yaml` of the working directory if there is one; null: none. */
  readonly file?: string | null;
  /** The content instead of a file's; `file` then only names it. */
  readonly text?: string;
  /** Usually `process.env`; without it nothing is overridden. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default `NAUTILUS`. */
  readonly envPrefix?: string;
  /** Variables that begin with the prefix and are no configuration. */
  readonly envReserved?: readonly string[];
}

export interface LoadedConfig<Config> {
  readonly config: Config;
  /** The file and the variables that took part; empty when everything is default. */
  readonly sources: readonly string[];
}

/**
 * `loadConfig(z.strictObject({ host: z.string().default('h1') }), { text: 'host: h2' })` gives the config
 * `{ host: 'h2' }`; with `text: 'hots: h2'` the fault says
 * `nautilus.yaml:1:1  hots: unknown key, did you mean "host"?`.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  options: LoadConfigOptions,
): Result<LoadedConfig<z.output<S>>> {
  const source =
    options.text === undefined
      ? readSource(options.file)
      : ok({ name: options.file ?? defaultConfigFile, text: options.text });
  if (!source.ok) return source;

  const origins = new Origins();
  const problems: Problem[] = [];
  let data: Mapping = {};
  if (source.value !== null) {
    const file = readYaml(source.value.text, source.value.name, origins);
    problems.push(...file.problems);
    if (file.isBroken) return refuse(problems, []);
    if (isMapping(file.data)) data = file.data;
    else if (file.data !== null) {
      const message = `found ${foundText(file.data, [])}, must be a mapping`;
      problems.push({ where: origins.of([]), path: [], message });
    }
  }
  const env = {
    env: options.env ?? {},
    prefix: options.envPrefix ?? 'NAUTILUS',
    reserved: options.envReserved ?? [],
  };
  problems.push(...applyEnvironment(data, env, origins));

  const parsed = parse(schema, data, origins);
  if (!parsed.success) {
    const context = { schema, data, origins };
    problems.push(...parsed.error.issues.flatMap((issue) => explain(issue, context)));
  }
  if (!parsed.success || problems.length > 0) return refuse(problems, secretsIn(data));
  const variables = origins.variables().map(({ name }) => name);
  return ok({
    config: parsed.data,
    sources: source.value === null ? variables : [source.value.name, ...variables],
  });
}

/**
 * Parses, and once more where the type of the schema shows how an ambiguous value was meant: a variable that looks like
 * a number is text where text is asked for, and a key with nothing under it is a mapping where a mapping is asked for.
 */
function parse<S extends z.ZodType>(schema: S, data: Mapping, origins: Origins) {
  const settings = { error: expectation, reportInput: true };
  let parsed = schema.safeParse(data, settings);
  // Each round settles one level of nesting.
  for (let round = 0; round < 16 && !parsed.success; round += 1) {
    let isChanged = false;
    for (const issue of parsed.error.issues) {
      if (issue.code !== 'invalid_type') continue;
      const value = valueAt(data, issue.path);
      const variable = origins.variableAt(issue.path);
      if (value === null && (issue.expected === 'object' || issue.expected === 'record')) {
        replaceAt(data, issue.path, {});
        isChanged = true;
      } else if (variable !== undefined && issue.expected === 'string' && typeof value !== 'string') {
        replaceAt(data, issue.path, variable.text);
        isChanged = true;
      }
    }
    if (!isChanged) break;
    parsed = schema.safeParse(data, settings);
  }
  return parsed;
}

function refuse(problems: readonly Problem[], secrets: readonly string[]) {
  const lines = [...new Set(problems.map((problem) => redact(problemText(problem), secrets)))];
  // In the order of the file: 3:5 before 12:1.
  lines.sort(new Intl.Collator('en', { numeric: true }).compare);
  return fail('config_invalid', lines.join('\n'), { problems: lines });
}
