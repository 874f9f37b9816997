/** The link of a service: waited for, shown, and closed only by whoever made it. */
import { describe, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { createLogger } from '../log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { createConnection, exposeConnection, type Link, type LinkState } from './connection.ts';

class FakeLink implements Link {
  state: LinkState = 'connected';
  stats = { requests: 2, slowConsumers: 0 };
  closed = 0;
  #listener: (state: LinkState) => void = () => {};

  onState(callback: (state: LinkState) => void): () => void {
    this.#listener = callback;
    return () => {
      this.#listener = () => {};
    };
  }

  become(state: LinkState): void {
    this.state = state;
    this.#listener(state);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

const context = {
  signal: new AbortController().signal,
  log: createLogger({ name: 'test', level: 'silent' }),
};

describe('createConnection()', () => {
  it('follows the state of the link in health until it stops', async () => {
    const health = createHealth();
    const link = new FakeLink();
    const seen: LinkState[] = [];
    const connection = createConnection({
      connect: async () => link,
      health,
      onState: (state) => seen.push(state),
    });
    const check = () => health.checks.find(({ component }) => component === 'nats');
    expect(check()).toMatchObject({ isOk: false, reason: 'no connection to NATS yet' });
    expect(() => connection.link).toThrow('before it was made');
    await connection.start?.(context);
    expect(check()).toMatchObject({ isOk: true });
    link.become('disconnected');
    expect(check()).toMatchObject({ isOk: false, reason: 'NATS is disconnected' });
    await connection.stop?.();
    link.become('connected');
    expect(check()).toMatchObject({ isOk: false });
    expect(seen).toEqual(['connected', 'disconnected']);
    expect(link.closed).toBe(1);
  });

  it('leaves a link that was handed in open', async () => {
    const link = new FakeLink();
    const connection = createConnection({
      connect: () => Promise.reject(new Error('not asked')),
      given: link,
      health: createHealth(),
    });
    await connection.start?.(context);
    expect(connection.link).toBe(link);
    await connection.stop?.();
    expect(link.closed).toBe(0);
  });
});

describe('exposeConnection()', () => {
  it('adds what the link counted since the last scrape', async () => {
    const metrics = new Metrics({ processMetrics: false });
    const link = new FakeLink();
    exposeConnection(metrics, () => link);
    await metrics.render();
    link.stats = { requests: 5, slowConsumers: 1 };
    const page = await metrics.render();
    expect(page).toContain('operation="requests"} 5');
    expect(page).toContain('operation="slow_consumers"} 1');
    expect(page).toContain('nautilus_memory_bus_connected 1');
  });
});
