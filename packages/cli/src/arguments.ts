/** The command line, parsed: options or the sentence that says what is wrong with it. */
import { parseArgs } from 'node:util';

export interface Arguments {
  readonly help: boolean;
  readonly command: 'up' | 'doctor';
  /** Doctor: for machines. */
  readonly json: boolean;
  /** No terminal: run for a while, verify, print one JSON object. */
  readonly check: boolean;
  readonly seconds: number;
  readonly config: string | null;
}

const defaultSeconds = 15;

export const usage = `nautilus up            start everything with the demo; Ctrl-C drains it
nautilus up --check    the same without a terminal, verify, print one JSON object
  --seconds N          how long --check runs (default ${defaultSeconds})
  --config FILE        configuration instead of ./nautilus.yaml
nautilus doctor        what this machine has, what is missing, why, and what to type
  --json               the same as one JSON array
NATS_URL               use this NATS server instead of starting one
`;

export function parseArguments(argv: readonly string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        seconds: { type: 'string', default: String(defaultSeconds) },
        config: { type: 'string' },
      },
    });
    const seconds = Number(values.seconds);
    if (!Number.isFinite(seconds) || seconds < 5 || seconds > 3600) {
      return `--seconds: must be a number from 5 to 3600, found "${values.seconds}"`;
    }
    const help = values.help || positionals.length === 0;
    const command = positionals[0] === 'doctor' ? 'doctor' : 'up';
    if (!help && (positionals.length > 1 || positionals[0] !== command)) {
      return `there is no command "${positionals.join(' ')}"; there are up and doctor`;
    }
    return { help, command, json: values.json, check: values.check, seconds, config: values.config ?? null };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
