/** NATS absent at the start, and NATS restarted under load: the agent waits, reconnects, says everything again, and loses no lease. */
import { createAllocator } from '@nautilus/allocator';
import { connectBus } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { buckets, exchanges } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { connect as connectSocket } from '@nautilus/native';
import { describe, expect, it } from 'vitest';
import { testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { hold } from '../support/holding.ts';
import { startHost } from '../support/host.ts';

const mib = 2 ** 20;

describe('NATS', () => {
  it('absent at the start is waited for, while the socket serves already', async () => {
    const nats = await startNats({ jetstream: true });
    const { url } = nats;
    await nats.stop();
    const setup = testConfig(url);
    const agent = createAllocator({
      config: setup.config,
      log: createLogger({ name: 'agent', level: 'silent' }),
    });
    const started = agent.app.start();
    const socket = await eventually(
      () => connectSocket({ path: setup.config.host.socket }).catch(() => null),
      (connection) => connection !== null,
      { what: 'the socket' },
    );
    socket?.close();
    const page = await fetch(`http://127.0.0.1:${agent.port()}/readyz`);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain('nats');
    await nats.restart({ keepStore: true });
    await started;
    expect((await fetch(`http://127.0.0.1:${agent.port()}/readyz`)).status).toBe(200);
    await agent.app.stop('end');
    await nats[Symbol.asyncDispose]();
    setup.remove();
  });

  it('given up on by a stop is left cleanly', async () => {
    const nats = await startNats({ jetstream: true });
    const { url } = nats;
    await nats.stop();
    const setup = testConfig(url);
    const agent = createAllocator({
      config: setup.config,
      log: createLogger({ name: 'agent', level: 'silent' }),
    });
    const started = agent.app.start().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await agent.app.stop('no patience');
    expect(await started).toBeInstanceOf(Error);
    await nats[Symbol.asyncDispose]();
    setup.remove();
  });

  it('restarted under load loses no lease, no state and no client', async () => {
    const host = await startHost();
    await using held = await hold(host.bus, 'risk-engine', { pool: 'risk', bytes: 4 * mib });
    const client = await host.client('trading-engine');
    const pool = client.pool('trading', { segmentBytes: mib });
    const block = await pool.allocate(1000);
    block.view().fill(3);
    let stop = false;
    let served = 0;
    const load = (async () => {
      while (!stop) {
        const answer = await host.bus
          .request(exchanges.describeSegments, { host: 'h1', party: 'risk-engine' }, {}, { timeoutMs: 300 })
          .catch(() => null);
        if (answer !== null) served += 1;
        // A request fails at once while the link is down: without a pause this loop would starve the reconnect.
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await eventually(
      () => served,
      (count) => count > 50,
    );
    await host.nats.restart({ keepStore: true });
    const during = served;
    await eventually(
      () => served,
      (count) => count > during + 50,
      { timeoutMs: 15_000, what: 'requests after the restart' },
    );
    stop = true;
    await load;
    held.mapping.view(0, 1)[0] = 1;
    expect(host.agent.agent.table.leases.get(held.segment)?.state).toBe('mapped');
    // The client works again by itself: the next allocation needs a new segment.
    const second = await pool.allocate(mib, { signal: AbortSignal.timeout(15_000) });
    second.view()[0] = 1;
    expect([...block.view().subarray(0, 2)]).toEqual([3, 3]);
    await host[Symbol.asyncDispose]();
  });

  it('restarted with an empty store gets presence and observations again', async () => {
    const host = await startHost();
    await host.nats.restart({ keepStore: false });
    const bus = await connectBus({ servers: host.nats.url, name: 'reader' });
    const presence = await eventually(
      async () => (await bus.store(buckets.presence)).get('h1').catch(() => null),
      (record) => record !== null,
      { timeoutMs: 15_000, what: 'presence' },
    );
    expect(presence?.value.instance).toBe(host.agent.agent.instance);
    await eventually(
      async () => (await bus.store(buckets.observed)).get('h1.risk-engine').catch(() => null),
      (record) => record !== null,
      { timeoutMs: 15_000, what: 'observations' },
    );
    // Budgets are still obeyed: the watch on what is desired was made again.
    const desired = await bus.store(buckets.desired);
    await desired.put('h1.sandbox', {
      budgetBytes: 150 * mib,
      epoch: 99,
      plan: 'p',
      reason: 'after the loss',
      decidedAt: 1,
    });
    await eventually(
      async () =>
        (await bus.request(exchanges.describeSegments, { host: 'h1', party: 'sandbox' }, {})).budgetBytes,
      (bytes) => bytes === 150 * mib,
      { timeoutMs: 40_000, what: 'the budget' },
    );
    await bus.close();
    await host[Symbol.asyncDispose]();
  });
});
