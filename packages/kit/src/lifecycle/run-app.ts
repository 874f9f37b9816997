/**
 * The whole life of an app in one call: start, wait for the request to stop, stop, say how it went. The request is a
 * parameter, so that a test stops a service without signals.
 */
import type { App } from './app.ts';
import { processSignal } from './process-signal.ts';

export interface RunOptions {
  /** Stops the app. */
  readonly signal?: AbortSignal;
  /** SIGTERM, SIGINT and uncaught errors stop the app; default: true where no `signal` is given. */
  readonly handleSignals?: boolean;
}

/**
 * The exit code: 0 when everything started, drained and stopped in order; otherwise 1. The caller ends the process with
 * it (`process.exit(await runApp(app))`), because a component that overran may still hold the event loop.
 */
export async function runApp(app: App, options: RunOptions = {}): Promise<number> {
  const handlesSignals = options.handleSignals ?? options.signal === undefined;
  const system = handlesSignals ? processSignal(app.log) : null;
  const signals = [options.signal, system?.signal].filter((signal) => signal !== undefined);
  const shutdown = AbortSignal.any(signals);
  try {
    const stopped = untilStopped(app, shutdown);
    if (!shutdown.aborted) {
      try {
        await app.start();
      } catch (error) {
        if (!shutdown.aborted && app.state === 'failed') {
          app.log.fatal({ err: error }, `${app.name} could not start`);
          return 1;
        }
        app.log.info({ err: error }, `${app.name} was stopped while it started`);
      }
    }
    await stopped;
    return app.failures.length === 0 && system?.hasFailed !== true ? 0 : 1;
  } finally {
    system?.dispose();
  }
}

/** Whoever asks first: the shutdown signal, or someone who holds the app and called `stop`. */
async function untilStopped(app: App, shutdown: AbortSignal): Promise<void> {
  const reason = await new Promise<string>((resolve) => {
    const request = (): void => resolve(describe(shutdown.reason));
    if (shutdown.aborted) request();
    else shutdown.addEventListener('abort', request, { once: true });
    app.onState((state) => {
      if (state === 'draining') resolve('stop was called');
    });
  });
  await app.stop(reason);
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
