/** A child process with its JSON lines, its last words and an orderly end. Stopped by signal, killed when it will not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Every line of standard output that is a JSON object. */
  readonly onLine?: (line: Record<string, unknown>) => void;
  readonly onExit?: (exit: { code: number | null; signal: NodeJS.Signals | null; lastWords: string }) => void;
}

const lastWordCount = 20;

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lastWords: string[] = [];

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#process = spawn(options.command, options.args, {
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own group: Ctrl-C in the terminal reaches only this process, which stops the others in order.
      detached: true,
    });
    const remember = (line: string) => {
      this.#lastWords.push(line);
      if (this.#lastWords.length > lastWordCount) this.#lastWords.shift();
    };
    const { stdout, stderr, stdin } = this.#process;
    // A child that is gone does not read; its exit is reported on its own.
    stdin?.on('error', () => remember('(standard input closed)'));
    if (stderr !== null) createInterface({ input: stderr }).on('line', remember);
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => {
        const parsed = parseObject(line);
        if (parsed === null) remember(line);
        else {
          const words = wordsOf(parsed);
          if (words !== null) remember(words);
          options.onLine?.(parsed);
        }
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        remember(error.message);
        options.onExit?.({ code: null, signal: null, lastWords: this.lastWords });
        resolve();
      });
      this.#process.once('close', (code, signal) => {
        options.onExit?.({ code, signal, lastWords: this.lastWords });
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get alive(): boolean {
    return (
      this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  /** Each sentence once, the newest last. */
  get lastWords(): string {
    return [...new Set(this.#lastWords)].slice(-3).join('\n');
  }

  tell(message: object): void {
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** False when it had to be killed. */
  async stop(deadlineMs: number): Promise<boolean> {
    if (!this.alive) {
      await this.#exited;
      return true;
    }
    this.#process.kill('SIGTERM');
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      this.kill();
    }, deadlineMs);
    await this.#exited;
    clearTimeout(timer);
    return inTime;
  }
}

function parseObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** What a person wants of a log line or of a container's own error, in one line; null for the rest. */
export function wordsOf(line: Record<string, unknown>): string | null {
  if (line['event'] === 'error') return String(line['message'] ?? JSON.stringify(line));
  if (line['level'] !== 'error' && line['level'] !== 'fatal') return null;
  const { err, msg } = line;
  const reason = typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : null;
  return reason === null ? String(msg) : `${String(msg)}: ${reason}`;
}
