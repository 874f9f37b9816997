/** Waiting that a caller can leave: every wait of this package ends with its signal, as a `NautilusError`. */
import { setMaxListeners } from 'node:events';
import { NautilusError } from '@nautilus/contracts';

/** A signal of our own that any number of waits listen to; Node would take more than ten for a leak. */
export function sharedController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** What an aborted signal means to the caller. A closing client gives its own error as the reason. */
export function cancelled(doing: string, signal: AbortSignal): NautilusError {
  if (signal.reason instanceof NautilusError) return signal.reason;
  return new NautilusError(
    { code: 'cancelled', message: `${doing} was cancelled` },
    { cause: signal.reason },
  );
}

export function throwIfCancelled(doing: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled(doing, signal);
}

/** The outcome of the work, or `cancelled` as soon as the signal aborts; the work itself goes on. */
export function abortable<T>(work: Promise<T>, doing: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(cancelled(doing, signal));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** The outcome of the work, or `unavailable` when the time is over; the work itself goes on. */
export async function atMost<T>(timeoutMs: number, work: Promise<T>, doing: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${doing}: not done in ${timeoutMs} ms`;
    timer = setTimeout(() => reject(new NautilusError({ code: 'unavailable', message })), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after the delay. A background wait does not keep the process alive. */
export function pause(
  delayMs: number,
  doing: string,
  signal: AbortSignal,
  kind: 'awaited' | 'background' = 'awaited',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      reject(cancelled(doing, signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', leave);
      resolve();
    }, delayMs);
    if (kind === 'background') timer.unref();
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
}
