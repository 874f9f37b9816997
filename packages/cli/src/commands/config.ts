/** `nautilus config`: whether the configuration is right, what it comes to, and what one key means. */
import { configSchema, fail, NautilusError } from '@nautilus/contracts';
import type { Call } from '../line/call.ts';
import { refuse } from '../line/call.ts';
import type { Command } from '../line/command.ts';
import { exitCodes } from '../line/exit-codes.ts';
import { nearest } from '../line/nearest.ts';
import { readConfig } from '../run-config.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'Checks, prints or explains the configuration.',
  positionals: [
    { name: 'ACTION', summary: 'What to do.', choices: ['check', 'print', 'explain'] },
    { name: 'KEY', summary: 'With explain: a key such as monitor.clear_hold.', isOptional: true },
  ],
  examples: [
    {
      line: 'config check',
      says: 'Everything that is wrong, with file, line, found value and what is allowed; exit code 6.',
    },
    {
      line: 'config print',
      says: 'Every value that is in force, as JSON: bytes, milliseconds, shares.',
    },
    { line: 'config explain monitor.clear_hold', says: 'What the key does, its default and its value here.' },
  ],
  connects: false,
  run: async (call) => {
    const key = call.positional('KEY');
    const action = call.positional('ACTION');
    if (action !== 'explain' && key !== '')
      throw refuse(`config ${action} takes no key; did you mean \`config explain ${key}\`?`);
    const { config, sources } = readConfig(call.text('config'), call.surroundings);
    if (action === 'explain') return explain(call, key, config);
    if (action === 'print') call.print(JSON.stringify(config, null, call.json ? 0 : 2));
    else {
      call.answer(
        { ok: true, sources },
        () => `right; from ${sources.length === 0 ? 'the defaults alone' : sources.join(', ')}`,
      );
    }
    return exitCodes.done.code;
  },
};

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

function explain(call: Call, key: string, config: unknown): number {
  if (key === '') throw refuse('config explain: KEY is missing, such as monitor.clear_hold');
  const parts = key.split('.');
  // The schema of a library, seen as the plain data that it is.
  let schema = configSchema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as unknown as Schema;
  let value: unknown = config;
  for (const [at, part] of parts.entries()) {
    const known = schema.properties ?? {};
    const open = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    const next = Object.hasOwn(known, part) ? known[part] : open;
    if (next === undefined) {
      const meant = nearest(part, Object.keys(known));
      const before = parts.slice(0, at).join('.');
      const hint =
        meant === null ? `there are ${Object.keys(known).join(', ') || 'none'}` : `did you mean "${meant}"?`;
      throw new NautilusError(
        fail(
          'config_invalid',
          `${key}: there is no key "${part}"${before === '' ? '' : ` in ${before}`}; ${hint}`,
        ).fault,
      );
    }
    schema = next;
    value = isMapping(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  const keys = Object.keys(schema.properties ?? {});
  const answer = {
    key,
    description: schema.description ?? null,
    default: schema.default ?? null,
    value: value ?? null,
    choices: schema.enum ?? null,
    keys,
  };
  call.answer(answer, () =>
    [
      call.colours.bold(key),
      schema.description ?? 'A part of the configuration.',
      ...(keys.length > 0 ? [`keys     ${keys.join(', ')}`] : [`value    ${JSON.stringify(value ?? null)}`]),
      ...(schema.default === undefined || keys.length > 0
        ? []
        : [`default  ${JSON.stringify(schema.default)}`]),
      ...(schema.enum === undefined ? [] : [`one of   ${schema.enum.join(', ')}`]),
      `variable NAUTILUS_${parts.map((part) => part.toUpperCase().replaceAll('-', '_')).join('__')}`,
    ].join('\n'),
  );
  return exitCodes.done.code;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
