/**
 * Turns what the operating system and the runtime say about the process into an `AbortSignal`. The first request stops
 * in order; the second means that someone has lost patience, and the process ends at once.
 */
import type { Logger } from '../log.ts';

export interface ProcessSignal {
  /** Aborts with the name of the signal, or with the error that nobody caught. */
  readonly signal: AbortSignal;
  /** An error that nobody caught was the cause: the exit code has to say so. */
  readonly hasFailed: boolean;
  /** Takes the handlers off the process. */
  dispose(): void;
}

export function processSignal(log: Logger): ProcessSignal {
  const controller = new AbortController();
  let hasFailed = false;

  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      log.fatal({ signal: name }, 'second request to stop, exiting at once');
      process.exit(1);
    }
    controller.abort(name);
  };
  const onError = (error: unknown): void => {
    log.fatal({ err: error }, 'an error that nobody caught');
    if (hasFailed) process.exit(1);
    hasFailed = true;
    controller.abort(error);
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return {
    signal: controller.signal,
    get hasFailed() {
      return hasFailed;
    },
    dispose() {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
    },
  };
}
