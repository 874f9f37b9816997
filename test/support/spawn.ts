/** A TypeScript program of this repository as a child process, run from source; its JSON lines and its end can be awaited. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Lines on standard output that parse as JSON, oldest first. */
  readonly lines: Record<string, unknown>[];
  /** The first line, now or later, for which the question is true. */
  line(
    isIt: (line: Record<string, unknown>) => boolean,
    timeoutMs?: number,
  ): Promise<Record<string, unknown>>;
  /** Everything else it said: the reason when it ended too early. */
  readonly errors: () => string;
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const patienceMs = 20_000;

export function runProgram(url: URL, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Program {
  const child = spawn(
    process.execPath,
    ['--conditions=@nautilus/source', '--import', 'tsx', fileURLToPath(url), ...args],
    // Vitest's own options would make a child believe that it is a test.
    { env: { ...process.env, NODE_OPTIONS: '', ...env }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const lines: Record<string, unknown>[] = [];
  const others: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    if (text.startsWith('{')) lines.push(JSON.parse(text) as Record<string, unknown>);
    else others.push(text);
    for (const look of waiting) look();
  });
  createInterface({ input: child.stderr }).on('line', (text) => others.push(text));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const errors = () => others.slice(-40).join('\n');
  return {
    process: child,
    get pid() {
      return child.pid ?? -1;
    },
    lines,
    errors,
    ended,
    line(isIt, timeoutMs = patienceMs) {
      return new Promise((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(look);
        };
        const look = () => {
          const found = lines.find(isIt);
          if (found === undefined) return;
          done();
          resolve(found);
        };
        const fail = (why: string) => {
          done();
          reject(new Error(`${why}; it said:\n${JSON.stringify(lines.slice(-5))}\n${errors()}`));
        };
        const timer = setTimeout(() => fail(`no such line within ${timeoutMs} ms`), timeoutMs);
        waiting.add(look);
        void ended.then((code) => fail(`the program ended with ${code}`));
        look();
      });
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
    async [Symbol.asyncDispose]() {
      await this.stop('SIGKILL');
    },
  };
}
