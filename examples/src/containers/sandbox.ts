/**
 * The container that misbehaves, but only on request: drills need someone who takes too much, leaks, or dies without a
 * word. It listens to JSON lines on stdin.
 */
import type { ContainerOptions } from '../library/container.ts';
import { FaultLog } from '../library/fault-log.ts';
import { Misbehaviour } from '../library/misbehaviour.ts';
import { reportProgress } from '../library/progress.ts';
import { CommandError, parseCommand, type SandboxCommand } from '../library/sandbox-command.ts';
import { every } from '../library/ticker.ts';

const dripMs = 100;
/** Small, so that a leak is a slope and not a staircase. */
const segmentBytes = 1024 ** 2;

export async function run({ client, signal, report, commands }: ContainerOptions): Promise<void> {
  const faults = new FaultLog(report);
  const pool = client.pool('temporary', { segmentBytes });
  const sandbox = new Misbehaviour({ pool, report, faults, signal });
  client.onRelease(() => sandbox.giveBack());

  const obey = async (command: SandboxCommand): Promise<void> => {
    switch (command.do) {
      case 'lease':
        await sandbox.lease(command.bytes);
        return;
      case 'hog':
        await sandbox.hog();
        return;
      case 'leak':
        sandbox.leak(command.bytesPerSecond);
        return;
      case 'release':
        await sandbox.release();
        return;
      case 'die':
        // No handler runs and nothing is closed: that is the point.
        process.kill(process.pid, 'SIGKILL');
    }
  };
  const take = async (line: string): Promise<void> => {
    try {
      await obey(parseCommand(line));
    } catch (error) {
      if (error instanceof CommandError) report('error', { code: 'invalid_command', message: error.message });
      else if (!signal.aborted) faults.note(error);
    }
  };

  report('ready');
  await Promise.all([
    listen(commands, signal, take),
    every(dripMs, signal, () => sandbox.drip(dripMs)),
    reportProgress({
      client,
      signal,
      report,
      figures: () => ({
        failures: faults.total,
        liveBytes: sandbox.liveBytes,
        heldBytes: sandbox.heldBytes,
        leakedBytes: sandbox.leakedBytes,
      }),
    }),
  ]);
}

/** Lines are obeyed side by side: a release must not wait for the hog that it ends. */
async function listen(
  commands: ContainerOptions['commands'],
  signal: AbortSignal,
  take: (line: string) => Promise<void>,
): Promise<void> {
  if (commands === undefined) return;
  const running = new Set<Promise<void>>();
  for await (const line of commands()) {
    if (signal.aborted) break;
    if (line.trim() === '') continue;
    const work = take(line).finally(() => running.delete(work));
    running.add(work);
  }
  await Promise.all(running);
}
