/** Desired budgets: the agent obeys them in order, refuses stale ones, and asks for memory where a budget shrank. */
import { endpoint } from '@nautilus/bus';
import { buckets, type DesiredBudget, exchanges, ok } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hold } from '../support/holding.ts';
import { type Host, startHost } from '../support/host.ts';

const mib = 2 ** 20;
const wish = (budgetBytes: number, epoch: number): DesiredBudget => ({
  budgetBytes,
  epoch,
  plan: 'p',
  reason: 'a test wants it',
  decidedAt: 1,
});

describe('budgets', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const budgetOf = async (party: string) =>
    (await host.bus.request(exchanges.describeSegments, { host: 'h1', party }, {})).budgetBytes;

  it('start at the minimum and follow what is desired', async () => {
    const spec = host.agent.agent.shape.containers.find(({ name }) => name === 'sandbox');
    expect(await budgetOf('sandbox')).toBe(spec?.minimumBytes);
    const desired = await host.bus.store(buckets.desired);
    await desired.put('h1.sandbox', wish(200 * mib, 10));
    await eventually(
      () => budgetOf('sandbox'),
      (bytes) => bytes === 200 * mib,
      { what: 'the desired budget' },
    );
  });

  it('ignore a decision with a smaller epoch than one obeyed', async () => {
    const desired = await host.bus.store(buckets.desired);
    await desired.put('h1.sandbox', wish(100 * mib, 9));
    // A later wish for another container shows that the stale one has been looked at.
    await desired.put('h1.archive', wish(70 * mib, 10));
    await eventually(
      () => budgetOf('archive'),
      (bytes) => bytes === 70 * mib,
    );
    expect(await budgetOf('sandbox')).toBe(200 * mib);
  });

  it('ask a container that holds more than it now may to give back', async () => {
    await using held = await hold(host.bus, 'sandbox', { pool: 'temporary', bytes: 100 * mib });
    const asked: { degree: string; bytes: number }[] = [];
    const served = await host.bus.serve({
      name: 'sandbox',
      version: '1.0.0',
      endpoints: [
        endpoint({
          contract: exchanges.releaseMemory,
          host: 'h1',
          party: 'sandbox',
          handle: (body) => {
            asked.push(body);
            return ok({ releasedBytes: 0 });
          },
        }),
      ],
    });
    const desired = await host.bus.store(buckets.desired);
    await desired.put('h1.sandbox', wish(60 * mib, 11));
    await eventually(
      () => asked.length,
      (count) => count > 0,
      { what: 'the request to give back' },
    );
    expect(asked[0]).toMatchObject({ degree: 'shrink', bytes: 40 * mib });
    expect(await budgetOf('sandbox')).toBe(60 * mib);
    await served.drain();
    expect(held.mapping.bytes).toBe(100 * mib);
  });

  it('survive a restart of the agent without NATS having said a word', async () => {
    await host.bus.request(
      exchanges.allocateBlock,
      { host: 'h1', party: 'archive' },
      { pool: 'temporary', bytes: 64 },
    );
    const before = await budgetOf('archive');
    const desired = await host.bus.store(buckets.desired);
    await desired.delete('h1.archive');
    await host.restartAgent();
    expect(await budgetOf('archive')).toBe(before);
  });
});
