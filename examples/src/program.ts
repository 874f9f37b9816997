/** The life of a container's process: connect, run until told to stop, give everything back. */
import { createInterface } from 'node:readline';
import { connect, NautilusError } from '@nautilus/client';
import { type ContainerName, containerPrograms, isContainerName } from './containers/registry.ts';
import { readEnvironment } from './library/environment.ts';
import { lineLog } from './library/line-log.ts';
import { createReport } from './library/report.ts';
import { loadTrace } from './traces/trace-files.ts';

export interface ProgramOptions {
  /** What the command line says. */
  readonly container: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Answers the exit code; never throws. */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const { container = '', signal, stderr } = options;
  if (!isContainerName(container)) {
    const known = Object.keys(containerPrograms).join(', ');
    stderr.write(`usage: main.ts CONTAINER, which is one of ${known}; found "${container}"\n`);
    return 2;
  }
  try {
    await runConnected(container, options);
    return 0;
  } catch (error) {
    // Told to stop while it waited: what was interrupted is not a failure.
    if (signal.aborted && error instanceof NautilusError && error.code === 'cancelled') return 0;
    stderr.write(`${container}: ${describeError(error)}\n`);
    return 1;
  }
}

async function runConnected(container: ContainerName, options: ProgramOptions): Promise<void> {
  const { env, signal, stdin, stdout, stderr } = options;
  const { servers, host, seedFile } = readEnvironment(env);
  const client = await connect({
    container,
    host,
    servers,
    signal,
    log: lineLog(container, stderr),
    ...(seedFile === null ? {} : { seedFile }),
  });
  try {
    await containerPrograms[container]({
      client,
      signal,
      report: createReport(container, stdout),
      traces: loadTrace,
      commands: () => createInterface({ input: stdin, signal }),
    });
  } finally {
    await client.close();
  }
}

/** A fault speaks for itself; of a bug the stack is wanted. */
function describeError(error: unknown): string {
  if (error instanceof NautilusError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
