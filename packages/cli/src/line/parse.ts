/** A command line against the registry: the command and its values, or a fault that says what is wrong and what to type. */
import { parseArgs } from 'node:util';
import { fail, ok, type Result } from '@nautilus/contracts';
import { type Command, type Option, optionsOf } from './command.ts';
import { usageOf } from './help.ts';
import { nearest } from './nearest.ts';

export interface Parsed {
  readonly command: Command;
  readonly isHelp: boolean;
  readonly values: Readonly<Record<string, string | boolean>>;
  readonly positionals: Readonly<Record<string, string>>;
}

/** `line` begins with the name of the command. */
export function parseLine(commands: readonly Command[], line: readonly string[]): Result<Parsed> {
  const [name = '', ...rest] = line;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const meant = nearest(
      name,
      commands.map((candidate) => candidate.name),
    );
    const hint = meant === null ? 'nautilus --help lists them' : `did you mean "${meant}"?`;
    return fail('invalid_request', `there is no command "${name}"; ${hint}`);
  }
  const options = optionsOf(command);
  const scanned = scan(command, options, rest);
  if (!scanned.ok) return scanned;
  const { values, positionals: given } = scanned.value;
  if (values['help'] === true) return ok({ command, isHelp: true, values, positionals: {} });
  const wanted = command.positionals ?? [];
  const missing = wanted.find(({ isOptional }, at) => isOptional !== true && given[at] === undefined);
  if (missing !== undefined) return wrong(command, `${missing.name} is missing: ${missing.summary}`);
  if (given.length > wanted.length)
    return wrong(command, `found "${given[wanted.length]}", which nothing asks for`);
  const positionals: Record<string, string> = {};
  for (const [at, { name: called, choices }] of wanted.entries()) {
    const value = given[at];
    if (value === undefined) continue;
    if (choices !== undefined && !choices.includes(value)) {
      return wrong(command, `${called}: found "${value}", must be one of ${choices.join(', ')}`);
    }
    positionals[called] = value;
  }
  for (const { name: called, choices } of options) {
    const value = values[called];
    if (choices !== undefined && value !== undefined && !choices.includes(String(value))) {
      return wrong(command, `--${called}: found "${value}", must be one of ${choices.join(', ')}`);
    }
  }
  return ok({ command, isHelp: false, values, positionals });
}

function scan(command: Command, options: readonly Option[], args: readonly string[]) {
  const config = Object.fromEntries(
    options.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: config });
    return ok({ values: values as Record<string, string | boolean>, positionals });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // parseArgs answers with these for what a person typed; anything else is a bug of this file.
    if (!code.startsWith('ERR_PARSE_ARGS')) throw error;
    const unknown = args.find((arg) => /^--[^=]/.test(arg) && !options.some(({ name }) => isFor(arg, name)));
    const meant =
      unknown === undefined
        ? null
        : nearest(
            unknown.slice(2),
            options.map(({ name }) => name),
          );
    return unknown === undefined
      ? wrong(command, (error as Error).message.split('. ')[0] ?? '')
      : wrong(command, `there is no option ${unknown}${meant === null ? '' : `; did you mean --${meant}?`}`);
  }
}

const isFor = (arg: string, name: string) => arg === `--${name}` || arg.startsWith(`--${name}=`);

function wrong(command: Command, message: string) {
  return fail('invalid_request', `${command.name}: ${message}\nusage: ${usageOf(command)}`);
}
