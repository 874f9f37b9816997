/** The process of a container: `main.ts market-data`. A second signal ends it at once. */
import { runProgram } from './program.ts';

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

const code = await runProgram({
  container: process.argv[2],
  env: process.env,
  signal: stopping.signal,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
});
// Pipes are written asynchronously: the last lines must be out before the process is.
process.stdout.write('', () => process.exit(code));
