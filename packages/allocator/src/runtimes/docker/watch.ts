/**
 * Follows the engine: its events say when to look, the list and the cgroups say what is. After every reconnect the list
 * is taken anew once the stream stands, so that nothing falls in between; and now and then anyway, because a stream can
 * be silent and dead.
 */
import type { IncomingMessage } from 'node:http';
import { NautilusError } from '@nautilus/contracts';
import { backoff, type Clock } from '@nautilus/kit';
import type { ContainerChange, RuntimeWatch, WatchOptions } from '../runtime.ts';
import type { DockerApi } from './api.ts';
import type { Changes } from './changes.ts';
import { type EngineEvent, EventDecoder } from './events.ts';
import type { Failure } from './failure.ts';
import type { Inventory } from './inventory.ts';

export interface EngineWatchOptions {
  readonly api: DockerApi;
  readonly inventory: Inventory;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly random: () => number;
  /** Between two looks at the cgroups. */
  readonly pollMs: number;
  /** Between two lists that nothing asked for. */
  readonly relistMs: number;
}

const reconnectMs = { minimumMs: 100, maximumMs: 5_000 };

export function watchEngine(
  options: EngineWatchOptions,
  onChange: (change: ContainerChange) => void,
  { onError }: WatchOptions,
): RuntimeWatch {
  const { api, inventory, changes, clock, random, pollMs, relistMs } = options;
  const ended = new AbortController();
  const { signal } = ended;
  let isOut = false;
  let lastLook: Promise<unknown> = Promise.resolve();

  const tell = (found: readonly ContainerChange[]): void => {
    if (!signal.aborted) for (const change of found) onChange(change);
  };
  const relist = clock.every(relistMs, async () => outage(await refresh()), { signal, onError });
  const poll = clock.every(pollMs, async () => tell(await changes.counted()), { signal, onError });

  /** One after the other, so that nobody appears twice. */
  function refresh(): Promise<Failure | null> {
    const look = lastLook.then(refreshNow);
    // Whoever asked for it hears of its errors.
    lastLook = look.catch(() => undefined);
    return look;
  }

  async function refreshNow(): Promise<Failure | null> {
    const failure = await inventory.refresh();
    tell(await changes.listed(() => poll.trigger()));
    return failure;
  }

  /** One error for an outage, however often the engine is tried meanwhile. */
  function outage(failure: Failure | null): void {
    if (failure !== null && !isOut && !signal.aborted) {
      onError(new NautilusError({ code: 'unavailable', message: `Docker engine: ${failure.reason}` }));
    }
    isOut = failure !== null;
  }

  function handle(event: EngineEvent): void {
    if (event.action === 'oom') tell(changes.sawOom(event.id));
    if (event.action === 'die') {
      inventory.historyOf(event.id).ended(event.atMs);
      changes.sawDeath(event.id, event.exitCode);
    }
    relist.trigger();
  }

  async function follow(stream: IncomingMessage): Promise<void> {
    const decoder = new EventDecoder();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const event of decoder.push(chunk)) handle(event);
    }
  }

  async function run(): Promise<void> {
    let pauses = backoff({ ...reconnectMs, random });
    while (!signal.aborted) {
      const stream = await api.events(signal);
      const failure = stream.ok ? await refresh() : stream.failure;
      outage(failure);
      if (stream.ok) {
        if (failure === null) pauses = backoff({ ...reconnectMs, random });
        try {
          await follow(stream.value);
        } catch (error) {
          // The stream broke or is none: both end it. What it kept from us, the next list has.
          if (!(error instanceof Error)) throw error;
        } finally {
          stream.value.destroy();
        }
      }
      await pause(pauses.next().value);
    }
  }

  async function pause(delayMs: number): Promise<void> {
    try {
      await clock.sleep(delayMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  const running = run().catch(onError);
  return {
    source: `events of the engine, a look at the cgroups every ${pollMs} ms, a new list every ${relistMs} ms`,
    async stop() {
      ended.abort();
      await Promise.all([running, relist.stop(), poll.stop()]);
      changes.close();
    },
  };
}
