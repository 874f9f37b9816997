// Test support: a second process that runs a few lines against this package, for what one process cannot show
// (another pid, a crash, kill -9).

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #end: Promise<ChildEnd>;
  #stdout = '';
  #stderr = '';

  /** `nautilus` is the package's index in the script; top-level await works. */
  constructor(script: string) {
    const index = JSON.stringify(new URL('../index.ts', import.meta.url).href);
    const source = `import * as nautilus from ${index};\n${script}`;
    this.#process = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process.stdout.on('data', (data) => {
      this.#stdout += String(data);
    });
    this.#process.stderr.on('data', (data) => {
      this.#stderr += String(data);
    });
    this.#end = once(this.#process, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** Waits for a word on the child's stdout. */
  async saw(word: string): Promise<void> {
    while (!this.#stdout.includes(word)) {
      const ended = await Promise.race([once(this.#process.stdout, 'data').then(() => null), this.#end]);
      if (ended !== null && !this.#stdout.includes(word)) {
        throw new Error(`the child ended without saying ${word}: ${JSON.stringify(ended)}`);
      }
    }
  }

  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async end(): Promise<ChildEnd> {
    this.#process.stdin.end();
    return await this.#end;
  }
}
