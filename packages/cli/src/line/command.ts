/** What a command is: data that drives parsing, help, completion and the guide, and one function that does the work. */
import type { Call } from './call.ts';

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help, such as `SIZE`; absent: a switch. */
  readonly value?: string;
  readonly summary: string;
  /** The values that are allowed, when they can be counted. */
  readonly choices?: readonly string[];
}

export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly isOptional?: boolean;
  readonly choices?: readonly string[];
}

export interface Example {
  /** Without the leading `nautilus`. */
  readonly line: string;
  readonly says: string;
}

export interface Command {
  readonly name: string;
  /** One line: what it does for whom. */
  readonly summary: string;
  /** What else a person should know, a paragraph each. */
  readonly details?: readonly string[];
  readonly positionals?: readonly Positional[];
  readonly options?: readonly Option[];
  readonly examples: readonly Example[];
  /** True: takes --nats, --seed, --join and --host. */
  readonly connects: boolean;
  /** Answers the exit code; faults are thrown as `NautilusError`. */
  readonly run: (call: Call) => Promise<number>;
}

/** Every command has these. */
export const commonOptions: readonly Option[] = [
  { name: 'json', summary: 'For machines: JSON on standard output, faults as JSON on standard error.' },
  {
    name: 'config',
    value: 'FILE',
    summary: 'Configuration instead of $NAUTILUS_CONFIG or ./nautilus.yaml.',
  },
  { name: 'help', short: 'h', summary: 'This page.' },
];

export const connectionOptions: readonly Option[] = [
  {
    name: 'nats',
    value: 'URL',
    summary: 'NATS server; else --join, the environment, a running `nautilus up`, the configuration.',
  },
  { name: 'seed', value: 'FILE', summary: 'File (0600) with the nkey seed of who asks.' },
  {
    name: 'join',
    value: 'FILE',
    summary: 'The join.json of a running `nautilus up`: server, host and seeds at once.',
  },
  {
    name: 'host',
    value: 'NAME',
    summary: 'Host that is meant; else that of the join file or the configuration.',
  },
];

export function optionsOf(command: Command): readonly Option[] {
  return [...(command.options ?? []), ...(command.connects ? connectionOptions : []), ...commonOptions];
}
