/** The command line as a person types it, without a process: what it printed, and its exit code. */
import type { Output, Surroundings } from '../line/surroundings.ts';
import { commands } from '../registry.ts';
import { runCommandLine } from '../run.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Standard output as JSON. */
  json(): unknown;
}

export interface TypedOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly columns?: number;
  readonly isTTY?: boolean;
  /** Keys, for what needs a terminal. */
  readonly stdin?: NodeJS.ReadStream;
  /** Hears what is printed, as it is. */
  readonly onPrint?: (text: string) => void;
}

export async function type(line: readonly string[], options: TypedOptions = {}): Promise<Typed> {
  const {
    env = {},
    cwd = '/',
    signal = new AbortController().signal,
    columns = 100,
    isTTY = false,
  } = options;
  let out = '';
  let err = '';
  const stdout: Output = {
    isTTY,
    columns,
    write(text) {
      out += text;
      options.onPrint?.(text);
    },
  };
  const stderr: Output = {
    write(text) {
      err += text;
    },
  };
  const surroundings: Surroundings = {
    env,
    cwd,
    stdout,
    stderr,
    stdin: options.stdin ?? null,
    now: Date.now,
    signal,
  };
  const code = await runCommandLine(commands, line, surroundings);
  return { code, out, err, json: () => JSON.parse(out) as unknown };
}
