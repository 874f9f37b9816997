/** Channels between processes, each with its own role on NATS: strangers, and kill -9 of subscriber, publisher and agent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNkey, generateServerConfig } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { permissionsOf, type RoleName } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentReady, startAgentProcess } from '../support/agent-process.ts';
import { type TestConfig, testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';
import { type Program, runProgram } from '../support/spawn.ts';

const peer = new URL('../fixtures/channel-peer.ts', import.meta.url);
const parties: readonly (readonly [string, RoleName])[] = [
  ['agent', 'agent'],
  ['market-data', 'container'],
  ['risk-engine', 'container'],
  ['analytics-engine', 'container'],
  ['sandbox', 'container'],
];

describe('a channel between processes', () => {
  let nats: NatsServer;
  let setup: TestConfig;
  let agent: Program;
  const seeds = mkdtempSync(join(tmpdir(), 'nautilus-seeds-'));
  const seedFile = (party: string) => join(seeds, party);
  let number = 0;
  beforeAll(async () => {
    const users = parties.map(([party, role]) => {
      const { seed, publicKey } = createNkey();
      writeFileSync(seedFile(party), seed, { mode: 0o600 });
      return { name: party, nkey: publicKey, ...permissionsOf(role, { host: 'h1', party }) };
    });
    const config = generateServerConfig({ users, port: 4222, host: '127.0.0.1', storeDir: null });
    nats = await startNats({ jetstream: true, config });
    setup = testConfig(nats.url, { nats: { servers: [nats.url], seed_file: seedFile('agent') } });
    agent = startAgentProcess(setup);
    await agentReady(agent);
  });
  afterAll(async () => {
    await agent.stop();
    await nats[Symbol.asyncDispose]();
    setup.remove();
    rmSync(seeds, { recursive: true });
  });

  const name = () => {
    number += 1;
    return `frames-${number}`;
  };
  const run = (container: string, ...args: string[]) =>
    runProgram(peer, [
      `--servers=${nats.url}`,
      `--seed=${seedFile(container)}`,
      `--container=${container}`,
      ...args,
    ]);
  const publish = async (channel: string, readers = 'risk-engine,analytics-engine') => {
    const publisher = run('market-data', `--channel=${channel}`, `--readers=${readers}`);
    await publisher.line((line) => line['event'] === 'publishing');
    return publisher;
  };
  const subscribe = async (channel: string, container: string, ...args: string[]) => {
    const subscriber = run(container, `--channel=${channel}`, '--from=market-data', ...args);
    await subscriber.line((line) => line['event'] === 'subscribed');
    return subscriber;
  };
  const latest = (program: Program, event: string) =>
    program.lines.findLast((line) => line['event'] === event);
  const figure = (program: Program, event: string, key: string) =>
    Number(latest(program, event)?.[key] ?? -1);
  const grows = async (program: Program, event: string, key: string, by = 100) => {
    const before = figure(program, event, key);
    await eventually(
      () => figure(program, event, key),
      (now) => now > before + by,
      { what: `${key} to grow by ${by}; ${program.errors()}`, timeoutMs: 10_000 },
    );
  };

  it('carries frames in place to its readers, and over NATS to one without shared memory: the same bytes', async () => {
    const channel = name();
    await using publisher = await publish(channel);
    await using near = await subscribe(channel, 'risk-engine');
    await using far = await subscribe(channel, 'analytics-engine', '--copy');
    expect(near.lines[0]).toMatchObject({ copied: false, reason: null });
    expect(far.lines[0]).toMatchObject({ copied: true, reason: expect.stringContaining('sharedMemory') });
    await grows(near, 'taken', 'taken', 300);
    await grows(far, 'taken', 'taken', 300);
    expect(latest(near, 'taken')).toMatchObject({ wrong: 0, dropped: 0, bytesCopied: 0 });
    expect(latest(far, 'taken')).toMatchObject({ wrong: 0, dropped: 0 });
    expect(figure(far, 'taken', 'bytesCopied')).toBe(figure(far, 'taken', 'taken') * 4096);
    expect(latest(publisher, 'published')).toMatchObject({ subscribers: 1, copiesSpared: 0 });
  });

  it('refuses a container that is not a reader, which learns nothing', async () => {
    const channel = name();
    await using publisher = await publish(channel);
    for (const copy of [[], ['--copy']]) {
      await using stranger = run('sandbox', `--channel=${channel}`, '--from=market-data', ...copy);
      const refused = await stranger.line((line) => line['event'] === 'refused');
      expect(refused).toMatchObject({ code: 'unknown_channel', channels: [] });
      expect(await stranger.ended).toBe(0);
    }
    expect(latest(publisher, 'published')).toMatchObject({ subscribers: 0 });
  });

  it('loses nothing to a subscriber killed with kill -9: its place is free, and others read on', async () => {
    const channel = name();
    await using publisher = await publish(channel);
    await using other = await subscribe(channel, 'analytics-engine');
    for (let round = 0; round < 3; round += 1) {
      await using victim = await subscribe(channel, 'risk-engine');
      await grows(victim, 'taken', 'taken', 50);
      expect(figure(publisher, 'published', 'subscribers')).toBe(2);
      await victim.stop('SIGKILL');
      await eventually(
        () => figure(publisher, 'published', 'subscribers'),
        (count) => count === 1,
        { what: 'the publisher to hear of the death' },
      );
    }
    await grows(other, 'taken', 'taken');
    expect(latest(other, 'taken')).toMatchObject({ wrong: 0, dropped: 0 });
  });

  it('ends for its subscribers when the publisher is killed, after they took what was there', async () => {
    const channel = name();
    await using publisher = await publish(channel);
    await using near = await subscribe(channel, 'risk-engine');
    await grows(near, 'taken', 'taken');
    await publisher.stop('SIGKILL');
    const ended = await near.line((line) => line['event'] === 'ended');
    expect(ended['reason']).toMatch(/holder-closed/);
    expect(latest(near, 'taken')).toMatchObject({ wrong: 0, dropped: 0 });
    expect(figure(near, 'taken', 'last')).toBeGreaterThanOrEqual(
      figure(publisher, 'published', 'number') - 1,
    );
    expect(await near.ended).toBe(0);
    // The name is free again.
    await using successor = await publish(channel);
    await using again = await subscribe(channel, 'risk-engine');
    await grows(again, 'taken', 'taken');
    expect(figure(successor, 'published', 'subscribers')).toBe(1);
  });

  it('flows on while the agent is killed and comes back, and then lets newcomers in and notices deaths as before', async () => {
    const channel = name();
    await using publisher = await publish(channel);
    await using near = await subscribe(channel, 'risk-engine');
    await using far = await subscribe(channel, 'analytics-engine', '--copy');
    await grows(near, 'taken', 'taken');
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await eventually(
      () => latest(publisher, 'published')?.['agent'],
      (isThere) => isThere === false,
      { what: 'the publisher to see that the agent is gone' },
    );
    await grows(near, 'taken', 'taken', 300);
    await grows(far, 'taken', 'taken', 300);
    agent = startAgentProcess(setup);
    await agentReady(agent);
    await eventually(
      () => latest(publisher, 'published')?.['agent'],
      (isThere) => isThere === true,
      { what: 'the publisher to come back to the agent' },
    );
    const join = async (): Promise<Program | null> => {
      const program = run('analytics-engine', `--channel=${channel}`, '--from=market-data');
      const answer = await program.line(({ event }) => event === 'subscribed' || event === 'refused');
      return answer['event'] === 'subscribed' ? program : null;
    };
    const newcomer = await eventually(join, (program) => program !== null, {
      what: 'a newcomer to be let in by the new agent',
      timeoutMs: 15_000,
    });
    if (newcomer === null) throw new Error('it was let in');
    await using late = newcomer;
    await grows(late, 'taken', 'taken');
    for (const reader of [near, far, late])
      expect(latest(reader, 'taken')).toMatchObject({ wrong: 0, dropped: 0 });
    expect(figure(publisher, 'published', 'subscribers')).toBe(2);
    await near.stop('SIGKILL');
    await eventually(
      () => figure(publisher, 'published', 'subscribers'),
      (count) => count === 1,
      { what: 'the new agent to tell of the death of a subscriber that it took back' },
    );
  });

  it('hears of deaths that happened while there was no agent, once the next one has waited for the dead', async () => {
    const [first, second] = [name(), name()];
    await using publisher = await publish(first);
    await using widow = await publish(second);
    await using near = await subscribe(first, 'risk-engine');
    await using victim = await subscribe(second, 'analytics-engine');
    await grows(near, 'taken', 'taken', 20);
    await grows(victim, 'taken', 'taken', 20);
    process.kill(agent.pid, 'SIGKILL');
    await agent.ended;
    await publisher.stop('SIGKILL');
    await victim.stop('SIGKILL');
    agent = startAgentProcess(setup);
    await agentReady(agent);
    const ended = await near.line((line) => line['event'] === 'ended');
    expect(ended['reason']).toMatch(/not-returned/);
    expect(latest(near, 'taken')).toMatchObject({ wrong: 0, dropped: 0 });
    await eventually(
      () => figure(widow, 'published', 'subscribers'),
      (count) => count === 0,
      { what: 'the place of the dead subscriber', timeoutMs: 15_000 },
    );
  });
});
