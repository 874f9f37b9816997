/** What a command sees of the process it runs in, so that tests can be the process. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Null where there is no terminal to read keys from. */
  readonly stdin: NodeJS.ReadStream | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Aborted by Ctrl-C and SIGTERM, with the name of the signal. */
  readonly signal: AbortSignal;
}

export function processSurroundings(signal: AbortSignal): Surroundings {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin.isTTY === true ? process.stdin : null,
    now: Date.now,
    signal,
  };
}
