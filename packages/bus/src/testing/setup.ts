/** What the tests of this package share: a bus with short delays and a log that can be read, on a given server. */
import type { Bus, BusOptions } from '../bus.ts';
import { connectBus } from '../connect.ts';
import type { BusLog } from '../log.ts';
import type { NatsServer } from './nats-server.ts';

export interface Recorded {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export interface RecordingLog extends BusLog {
  readonly lines: Recorded[];
}

export function recordingLog(): RecordingLog {
  const lines: Recorded[] = [];
  const at = (level: Recorded['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Reconnects within 100 ms, so that a test of a restart does not wait for it. */
export function testBus(nats: NatsServer, name: string, more: Partial<BusOptions> = {}): Promise<Bus> {
  return connectBus({ servers: nats.url, name, reconnectDelayMs: 100, ...more });
}

/** Polls until the condition holds; fails with what it waited for. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, withinMs = 10_000) {
  const until = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
