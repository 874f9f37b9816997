/** A real process that eats memory on demand, for tests on real kernels: one line in, one line out when it is done. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Plain JavaScript, so that it runs from source, from the build and inside the virtual machine alike. */
const program = `
const fs = require('node:fs');
const held = [];
const commands = {
  anon: (bytes) => { held.push(Buffer.alloc(Number(bytes), 1)); },
  cache: (bytes, path) => {
    const chunk = Buffer.alloc(1 << 20, 2);
    const file = fs.openSync(path, 'w+');
    for (let at = 0; at < Number(bytes); at += chunk.length) fs.writeSync(file, chunk, 0, chunk.length, at);
    fs.fsyncSync(file);
    for (let at = 0; at < Number(bytes); at += chunk.length) fs.readSync(file, chunk, 0, chunk.length, at);
    fs.closeSync(file);
  },
  free: () => { held.length = 0; if (global.gc) global.gc(); },
};
let text = '';
process.stdin.on('data', (data) => {
  text += data;
  for (let at = text.indexOf('\\n'); at >= 0; at = text.indexOf('\\n')) {
    const [name, ...words] = text.slice(0, at).split(' ');
    text = text.slice(at + 1);
    commands[name](...words);
    process.stdout.write('done\\n');
  }
});
process.stdin.on('end', () => process.exit());
process.stdout.write('done\\n');
`;

export class Eater {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  /** Commands that were carried out; the first answer is that it runs. */
  answers = 0;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#process = child;
    child.stdout.on('data', (data) => {
      this.answers += String(data).split('done').length - 1;
    });
    // A killed process takes no more commands; its end is seen by the one who waits for an answer.
    child.stdin.on('error', () => undefined);
  }

  /** `procs`: the cgroup.procs file of the cgroup that it starts in, so that all its memory is charged there. */
  static async start(procs: string | null): Promise<Eater> {
    const node = ['--expose-gc', '-e', program];
    const child =
      procs === null
        ? spawn(process.execPath, node, { stdio: ['pipe', 'pipe', 'inherit'] })
        : spawn('sh', ['-c', 'echo $$ > "$0" && exec "$@"', procs, process.execPath, ...node], {
            stdio: ['pipe', 'pipe', 'inherit'],
            env: { PATH: process.env['PATH'] ?? '' },
          });
    const eater = new Eater(child);
    await eater.#answered(1);
    return eater;
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  isAlive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async anon(bytes: number): Promise<void> {
    await this.#command(`anon ${bytes}`);
  }

  async cache(bytes: number, path: string): Promise<void> {
    await this.#command(`cache ${bytes} ${path}`);
  }

  /** Does not wait for it. */
  begin(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  async kill(): Promise<void> {
    if (!this.isAlive()) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  async #command(line: string): Promise<void> {
    const awaited = this.answers + 1;
    this.begin(line);
    await this.#answered(awaited);
  }

  async #answered(count: number): Promise<void> {
    while (this.answers < count) {
      if (!this.isAlive())
        throw new Error(`the eater ended: ${this.#process.signalCode ?? this.#process.exitCode}`);
      await Promise.race([once(this.#process.stdout, 'data'), once(this.#process, 'exit')]);
    }
  }
}
