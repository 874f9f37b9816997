/** A fake bus, a fake agent and clients on them, with short waits; taken down together at the end of a test. */
import type { BusLog } from '@nautilus/bus';
import { NautilusClient } from '../client.ts';
import type { Timing } from '../timing.ts';
import { systemTiming } from '../timing.ts';
import { FakeAgent } from './fake-agent.ts';
import { FakeBus } from './fake-bus.ts';

export const segmentBytes = 64 * 1024;

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export class Rig implements AsyncDisposable {
  readonly bus = new FakeBus();
  readonly agent = new FakeAgent(this.bus);
  readonly log: LoggedLine[] = [];
  readonly #clients: NautilusClient[] = [];

  async client(
    container = 'trading-engine',
    options: { requestTimeoutMs?: number; timing?: Partial<Timing> } = {},
  ): Promise<NautilusClient> {
    const client = new NautilusClient({
      container,
      host: 'h1',
      bus: this.bus,
      ownsBus: false,
      requestTimeoutMs: options.requestTimeoutMs ?? 2_000,
      log: this.#logger(),
      timing: {
        ...systemTiming,
        firstBackoffMs: 4,
        longestBackoffMs: 40,
        random: () => 0.5,
        ...options.timing,
      },
    });
    this.#clients.push(client);
    await client.serve();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    this.agent.dispose();
  }

  #logger(): BusLog {
    const at = (level: LoggedLine['level']) => (fields: object, message: string) =>
      void this.log.push({ level, fields, message });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** Resolves when the condition holds; the message says what was waited for. */
export async function until(what: string, condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const startedAt = performance.now();
  while (!condition()) {
    if (performance.now() - startedAt > timeoutMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
