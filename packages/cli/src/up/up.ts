/** `nautilus up`: everything on this machine, with the demo on real input, until Ctrl-C or the end of a check. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { formatBytes } from '@nautilus/contracts';
import { loadServiceConfig } from '@nautilus/kit';
import type { Arguments } from '../arguments.ts';
import { gatherEvidence } from './check.ts';
import { Stack } from './stack.ts';
import { renderStatus } from './status.ts';
import { judge } from './verdict.ts';

const statusMs = 1_000;

export async function up(options: Arguments): Promise<number> {
  const file = options.config ?? (existsSync('nautilus.yaml') ? 'nautilus.yaml' : null);
  const configFile = file === null ? null : resolve(file);
  const config = loadServiceConfig({
    argv: configFile === null ? [] : ['--config', configFile],
    env: process.env,
    cwd: process.cwd(),
  });
  if (!config.ok) {
    process.stderr.write(`${config.fault.message}\n`);
    return 2;
  }
  const shutdown = shutdownSignal();
  // In a check standard output belongs to the one JSON object.
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const stack = new Stack({
    config: config.value,
    configFile,
    natsUrl: process.env['NATS_URL'] ?? null,
    say,
    signal: shutdown,
  });
  let code = 0;
  try {
    await stack.start();
    if (options.check) {
      const verdict = judge(await gatherEvidence(stack, options.seconds, shutdown));
      process.stdout.write(`${JSON.stringify(verdict)}\n`);
      code = verdict.ok ? 0 : 1;
    } else await showStatus(stack, shutdown);
  } catch (error) {
    if (!shutdown.aborted || options.check) {
      say(error instanceof Error ? error.message : String(error));
      code = 1;
    }
  }
  say('draining …');
  const problems = await stack.stop();
  for (const problem of problems) say(problem);
  say(problems.length === 0 ? 'stopped; nothing is left behind' : 'stopped');
  return problems.length > 0 ? 1 : code;
}

function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    // The children have groups of their own: leaving now would leave them behind, so a second Ctrl-C is only noted.
    if (controller.signal.aborted) process.stderr.write('already draining; every step has a deadline\n');
    else controller.abort(name);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
  return controller.signal;
}

async function showStatus(stack: Stack, signal: AbortSignal): Promise<void> {
  const urls = [
    `metrics ${stack.rows.map((row) => `http://127.0.0.1:${row.port}/metrics (${row.name})`).join('  ')}`,
    `NATS    ${stack.url}${stack.enforcesIdentity ? '' : '  (identities are not enforced)'}`,
  ];
  const isTerminal = process.stdout.isTTY === true;
  while (!signal.aborted) {
    const { sample, raised } = stack.observer;
    if (isTerminal) {
      const text = renderStatus({
        sample,
        alerts: [...raised.values()],
        urls,
        remarks: remarks(stack),
        columns: process.stdout.columns,
      });
      // Home, text with each line's rest cleared, then everything below.
      process.stdout.write(`\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[J`);
    } else if (sample !== null) {
      const { leasedBytes, grantableBytes } = sample.capacity;
      process.stdout.write(
        `${new Date(sample.at).toISOString()} leased ${formatBytes(leasedBytes)} of ${formatBytes(grantableBytes)}, ` +
          `${sample.segments.live} segments, ${sample.counters.allocations} allocations, ${raised.size} alerts\n`,
      );
    }
    await new Promise<void>((done) => {
      const timer = setTimeout(done, isTerminal ? statusMs : 10 * statusMs);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          done();
        },
        { once: true },
      );
    });
  }
}

function remarks(stack: Stack): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of stack.containers.keys()) {
    const line = stack.observer.progress(name);
    if (typeof line?.['framesVerified'] === 'number')
      found.set(name, `${line['framesVerified']} frames read in place`);
    else if (typeof line?.['framesPublished'] === 'number')
      found.set(name, `${line['framesPublished']} frames published`);
  }
  return found;
}
