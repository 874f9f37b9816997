/** kill -9 of the agent under load: containers go on reading and writing, and the next agent finds segments and leases again. */
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { connect } from '@nautilus/client';
import { buckets, exchanges } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentReady, startAgentProcess } from '../support/agent-process.ts';
import { type TestConfig, testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { type Program, runProgram } from '../support/spawn.ts';

const mib = 2 ** 20;

describe('an agent killed with kill -9 under load', () => {
  let nats: NatsServer;
  let setup: TestConfig;
  let agent: Program;
  let bus: Bus;
  beforeAll(async () => {
    nats = await startNats({ jetstream: true });
    setup = testConfig(nats.url);
    agent = startAgentProcess(setup);
    bus = await connectBus({ servers: nats.url, name: 'test' });
    await agentReady(agent);
  });
  afterAll(async () => {
    await agent.stop();
    await bus.close();
    await nats[Symbol.asyncDispose]();
    setup.remove();
  });
  const describeOf = async (party: string) =>
    bus.request(exchanges.describeSegments, { host: 'h1', party }, {});

  it('takes back what holders and readers kept using meanwhile', async () => {
    await using holder = runProgram(new URL('../fixtures/holder.ts', import.meta.url), [
      `--servers=${nats.url}`,
      '--container=market-data',
      '--pool=trading',
      `--bytes=${8 * mib}`,
      '--grant=risk-engine',
    ]);
    const { segment } = (await holder.line((line) => line['event'] === 'held')) as { segment: string };
    await using reader = await connect({ container: 'risk-engine', servers: nats.url });
    await using granted = await reader.open(segment);
    const seen = () => granted.view(0, 4)[0];
    const kept = await bus.request(
      exchanges.allocateBlock,
      { host: 'h1', party: 'reporting' },
      { pool: 'temporary', bytes: 5000 },
    );
    const abandoned = await bus.request(
      exchanges.leaseSegment,
      { host: 'h1', party: 'archive' },
      { pool: 'temporary', bytes: mib, ttlMs: 60_000 },
    );

    // Load: another container leases and releases without end while the agent dies and comes back.
    let stopLoad = false;
    let leasedOften = 0;
    const load = (async () => {
      while (!stopLoad) {
        try {
          const lease = await bus.request(
            exchanges.leaseSegment,
            { host: 'h1', party: 'sandbox' },
            { pool: 'temporary', bytes: mib, ttlMs: 500 },
            { timeoutMs: 500 },
          );
          leasedOften += 1;
          await bus.request(
            exchanges.releaseSegment,
            { host: 'h1', party: 'sandbox' },
            { segment: lease.segment },
            { timeoutMs: 500 },
          );
        } catch {
          // The agent is away: that is the point of this test.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    })();
    await eventually(
      () => leasedOften,
      (count) => count > 20,
      { what: 'load' },
    );

    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    const ticksThen = holder.lines.filter((line) => line['event'] === 'tick').length;
    const first = seen();
    await eventually(seen, (value) => value !== first, {
      what: 'the reader to see the writer go on without an agent',
    });
    await eventually(
      () => holder.lines.filter((line) => line['event'] === 'tick').length,
      (count) => count > ticksThen + 10,
      { what: 'the holder to go on' },
    );

    const loadBefore = leasedOften;
    agent = startAgentProcess(setup);
    await agentReady(agent);
    const described = await eventually(
      () => describeOf('market-data'),
      ({ segments }) => segments[0]?.state === 'mapped',
      { what: 'the holder to return its segment' },
    );
    expect(described.segments).toMatchObject([
      { segment, bytes: 8 * mib, grants: ['risk-engine'], expiresAt: null },
    ]);
    expect((await describeOf('archive')).segments.map((one) => one.segment)).toEqual([abandoned.segment]);
    expect(
      (await bus.request(exchanges.describeBlocks, { host: 'h1', party: 'reporting' }, {})).blocks,
    ).toEqual([kept]);
    await eventually(
      () => leasedOften,
      (count) => count > loadBefore + 20,
      { what: 'leases to go on' },
    );

    const before = seen();
    await eventually(seen, (value) => value !== before, {
      what: 'the reader to see the writer after the return',
    });
    expect(holder.lines.filter((line) => line['event'] === 'lost')).toEqual([]);
    stopLoad = true;
    await load;

    // And the returned segment is watched as before: the holder's death ends it at once.
    await granted.close();
    process.kill(holder.pid, 'SIGKILL');
    await eventually(
      () => describeOf('market-data'),
      ({ leasedBytes }) => leasedBytes === 0,
      { what: 'the memory of the dead holder' },
    );
  });

  it('keeps its presence: the record of its predecessor is its own', async () => {
    const presence = await bus.store(buckets.presence);
    const record = await presence.get('h1');
    expect(record?.value.host).toBe('h1');
  });

  it('gives back what nobody returned within the grace', async () => {
    const holder = runProgram(new URL('../fixtures/holder.ts', import.meta.url), [
      `--servers=${nats.url}`,
      '--container=ml-engine',
      '--pool=ml-models',
      `--bytes=${4 * mib}`,
    ]);
    await holder.line((line) => line['event'] === 'held');
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await holder.stop('SIGKILL');
    agent = startAgentProcess(setup);
    await agentReady(agent);
    expect((await describeOf('ml-engine')).leasedBytes).toBe(4 * mib);
    await eventually(
      () => describeOf('ml-engine'),
      ({ leasedBytes }) => leasedBytes === 0,
      { timeoutMs: 8_000, what: 'the end of the grace' },
    );
  });
});
