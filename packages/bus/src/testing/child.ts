/** Another process of this package, because only a process can be killed, stopped or told to end by a signal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './setup.ts';

export interface Child {
  /** Lines of its standard output so far. */
  readonly lines: readonly string[];
  signal(name: NodeJS.Signals): void;
  line(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Its exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
  kill(): Promise<void>;
}

/** Runs `src/testing/<name>.fixture.ts` from source. */
export function startFixture(name: string, ...parameters: string[]): Child {
  const file = fileURLToPath(new URL(`./${name}.fixture.ts`, import.meta.url));
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@nautilus/source', '--import', 'tsx', file, ...parameters],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('.', import.meta.url)) },
  );
  const lines: string[] = [];
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const exited = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    lines,
    signal: (signal) => void child.kill(signal),
    async line(pattern, withinMs = 20_000) {
      await eventually(
        `a line that matches ${pattern}`,
        () => lines.some((line) => pattern.test(line)),
        withinMs,
      );
      return lines.find((line) => pattern.test(line)) ?? '';
    },
    ended: () => exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
