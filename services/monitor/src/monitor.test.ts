/** The whole monitor on a real NATS server, with an agent that sends what a test wants to be true. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { configSchema, listAlerts, listHistory, queryHistory, sampleTaken } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningMonitor, startMonitor } from './start-monitor.ts';
import { storedAlerts } from './testing/alert-stream.ts';
import { fakeAgent } from './testing/fake-agent.ts';
import { sampleOf } from './testing/sample.ts';

const intervalMs = 200;
const patience = { timeout: 15_000, interval: 50 };

let nats: NatsServer;
let historyDirectory: string;
let bus: Bus;
const monitors: RunningMonitor[] = [];

beforeEach(async () => {
  historyDirectory = mkdtempSync(join(tmpdir(), 'nautilus-history-'));
  nats = await startNats({ jetstream: true });
  bus = await connectBus({ servers: nats.url, name: 'agent' });
});
afterEach(async () => {
  for (const monitor of monitors.splice(0)) await monitor.stop();
  await bus.close();
  await nats[Symbol.asyncDispose]();
  rmSync(historyDirectory, { recursive: true, force: true });
});

async function start(instance = 'one'): Promise<RunningMonitor> {
  const config = configSchema.parse({
    nats: { servers: [nats.url] },
    allocator: { sample_interval: `${intervalMs}ms` },
    monitor: { port: 0, history_dir: historyDirectory, raise_hold: '400ms', clear_hold: '1s' },
  });
  const log = createLogger({ name: instance, level: 'silent' });
  const monitor = await startMonitor({ config, log, instance });
  monitors.push(monitor);
  return monitor;
}

async function page(monitor: RunningMonitor): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${monitor.port}/metrics`);
  expect(response.status).toBe(200);
  return response.text();
}

const leads = (monitor: RunningMonitor) =>
  vi.waitFor(async () => {
    expect(await page(monitor)).toContain('nautilus_memory_leader{service="monitor"} 1');
  }, patience);

const told = async () =>
  (await storedAlerts(bus)).map(
    ({ body }) => `${body.scope.kind} ${body.scope.name} ${body.state} ${body.tier}`,
  );

const listed = async () => (await bus.request(listAlerts, {}, {})).alerts;

describe('a monitor on NATS', () => {
  it('walks a burst up and down the ladder, stores every step, and lists what is raised', async () => {
    await leads(await start());
    const agent = fakeAgent(bus, 'h1', intervalMs);
    for (const containerShare of [0.65, 0.85, 0.92, 0.99]) await agent.send(3, { containerShare });
    const up = ['raised info', 'raised warning', 'raised critical', 'raised emergency'];
    await vi.waitFor(
      async () => expect(await told()).toEqual(up.map((step) => `container ml-engine ${step}`)),
      patience,
    );
    expect((await listed()).map(({ tier, scope }) => [tier, scope.name])).toEqual([
      ['emergency', 'ml-engine'],
    ]);
    expect((await bus.request(listAlerts, {}, { host: 'h2' })).alerts).toEqual([]);

    for (const containerShare of [0.87, 0.77, 0.57, 0.2]) await agent.send(6, { containerShare });
    const down = ['lowered critical', 'lowered warning', 'lowered info', 'cleared info'];
    await vi.waitFor(
      async () => expect(await told()).toEqual([...up, ...down].map((step) => `container ml-engine ${step}`)),
      patience,
    );
    expect(await listed()).toEqual([]);
    const stored = await storedAlerts(bus);
    expect(new Set(stored.map(({ body }) => body.alert)).size).toBe(1);
    for (const { subject, body } of stored) {
      expect(subject).toBe(`nautilus.v1.alert.h1.${body.tier}.memory-pressure`);
    }
  });

  it('answers what was, also what an earlier monitor heard, and refuses what is too much', async () => {
    const first = await start();
    const agent = fakeAgent(bus, 'h1', intervalMs);
    await agent.send(5, { containerShare: 0.25 });
    const series = ['container/ml-engine/leasedBytes'];
    const ask = (more: object = {}) =>
      bus.request(
        queryHistory,
        {},
        { host: 'h1', series, from: Date.now() - 60_000, to: Date.now() + 60_000, stepMs: 120_000, ...more },
      );
    const leased = async () => (await ask()).series[0]?.points.find((point) => point !== null)?.last;
    await vi.waitFor(async () => expect(await leased()).toBe(2 ** 30), patience);
    expect((await bus.request(listHistory, {}, { host: 'h1' })).series).toContain(series[0]);
    monitors.splice(0);
    await first.stop();

    await start('two');
    expect(await leased()).toBe(2 ** 30);
    await expect(ask({ series: ['*'], stepMs: 1000, from: 0 })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('5000 are the most'),
    });
    await expect(ask({ host: 'h9' })).rejects.toMatchObject({ code: 'unknown_host' });
  });

  it('tells of a silent host, takes its series away, and brings them back with it', async () => {
    const monitor = await start();
    await leads(monitor);
    const agent = fakeAgent(bus, 'h1', intervalMs);
    await agent.send(1);
    const gauge = 'nautilus_memory_unified_memory_pressure{host="h1"}';
    await vi.waitFor(async () => expect(await page(monitor)).toContain(gauge), patience);

    await vi.waitFor(async () => expect(await told()).toEqual(['host h1 raised critical']), patience);
    const silent = await page(monitor);
    expect(silent).not.toContain(gauge);
    expect(silent).toContain(
      'nautilus_memory_alert_tier{host="h1",scope="host",name="h1",signal="host-silent"} 3',
    );
    expect((await storedAlerts(bus))[0]?.subject).toBe('nautilus.v1.alert.h1.critical.host-silent');
    expect((await listed()).map(({ signal }) => signal)).toEqual(['host-silent']);

    await vi.waitFor(async () => {
      await agent.send(1);
      expect(await told()).toEqual(['host h1 raised critical', 'host h1 cleared critical']);
    }, patience);
    expect(await page(monitor)).toContain(gauge);
    expect(await listed()).toEqual([]);
  });

  it('lets one of two instances tell, and the other go on when the first one is gone', async () => {
    const one = await start('one');
    await leads(one);
    const two = await start('two');
    const agent = fakeAgent(bus, 'h1', intervalMs);
    await agent.send(1, { containerShare: 0.99 });
    const tier =
      'nautilus_memory_alert_tier{host="h1",scope="container",name="ml-engine",signal="memory-pressure"} 4';
    for (const monitor of [one, two]) {
      await vi.waitFor(async () => expect(await page(monitor)).toContain(tier), patience);
    }
    expect(await page(two)).toContain('nautilus_memory_leader{service="monitor"} 0');
    await vi.waitFor(
      async () => expect(await told()).toEqual(['container ml-engine raised emergency']),
      patience,
    );

    await one.stop();
    await leads(two);
    await agent.send(6, { containerShare: 0.87 });
    // What both saw is stored once, and the incident goes on under the name that the first instance gave it.
    await vi.waitFor(
      async () =>
        expect(await told()).toEqual([
          'container ml-engine raised emergency',
          'container ml-engine lowered critical',
        ]),
      patience,
    );
    expect(new Set((await storedAlerts(bus)).map(({ body }) => body.alert)).size).toBe(1);
  });

  it('tells again after NATS came back without its store', async () => {
    const monitor = await start();
    await leads(monitor);
    await nats.restart({ keepStore: false });
    await vi.waitFor(() => expect(bus.state).toBe('connected'), patience);
    await leads(monitor);
    const agent = fakeAgent(bus, 'h1', intervalMs);
    await vi.waitFor(async () => {
      await agent.send(1, { containerShare: 0.99 });
      expect(await told()).toContain('container ml-engine raised emergency');
    }, patience);
  });

  it('drops a sample in the name of another host', async () => {
    const monitor = await start();
    const forged = sampleOf({ host: 'h1', containerShare: 0.99 });
    bus.publish(sampleTaken, { host: 'h2' }, forged);
    await fakeAgent(bus, 'h3', intervalMs).send(1);
    await vi.waitFor(async () => expect(await page(monitor)).toContain('host="h3"'), patience);
    const text = await page(monitor);
    expect(text).not.toContain('host="h1"');
    expect(text).not.toContain('host="h2"');
  });

  it('stops in order and leaves a bus that it was handed open', async () => {
    const config = configSchema.parse({ monitor: { port: 0, history_dir: null } });
    const log = createLogger({ name: 'handed', level: 'silent' });
    const monitor = await startMonitor({ config, log, bus });
    await monitor.stop();
    expect(monitor.app.state).toBe('stopped');
    expect(monitor.app.failures).toEqual([]);
    expect(bus.state).toBe('connected');
  });
});
