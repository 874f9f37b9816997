/** Starts the other processes of a measurement, and ends them with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openExchange, type Wire } from './wire.ts';

export type PeerTask = 'echo-spinning' | 'echo-waiting' | 'hold' | 'take' | 'hear';

export interface Peers extends AsyncDisposable {
  readonly wires: readonly Wire[];
}

export async function startPeers(task: PeerTask, count = 1): Promise<Peers> {
  const exchange = openExchange();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`./peer.${extension}`, import.meta.url));
  const children: ChildProcess[] = [];
  const wires: Wire[] = [];
  for (let peer = 0; peer < count; peer += 1) {
    const accepted = exchange.accept();
    const child = spawn(process.execPath, [...process.execArgv, program, exchange.path, task], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    children.push(child);
    const died = new Promise<never>((_, reject) =>
      child.once('exit', (code, signal) => reject(new Error(`peer "${task}" ended with ${signal ?? code}`))),
    );
    died.catch(() => undefined);
    wires.push(await Promise.race([accepted, died]));
  }
  return {
    wires,
    async [Symbol.asyncDispose]() {
      for (const wire of wires) wire[Symbol.dispose]();
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      }
      exchange[Symbol.dispose]();
    },
  };
}
