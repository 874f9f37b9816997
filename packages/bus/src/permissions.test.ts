/** M12 and the least a role needs: an agent of `h1`, with nkeys, on a server whose configuration was generated. */
import {
  buckets,
  type DesiredBudget,
  leaseEnded,
  memoryPressure,
  ok,
  releaseMemory,
} from '@nautilus/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Bus } from './bus.ts';
import { createNkey } from './keys.ts';
import { endpoint } from './serve.ts';
import { generateServerConfig } from './server-config.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, recordingLog, testBus } from './testing/setup.ts';

const root = createNkey();
const agent = createNkey();

/** codebases.md §1.7, with this system's subjects. */
const agentRole = {
  name: 'agent-h1',
  nkey: agent.publicKey,
  publish: [
    '$JS.API.STREAM.INFO.KV_desired',
    '$JS.API.DIRECT.GET.KV_desired.$KV.desired.h1.>',
    '$JS.API.CONSUMER.CREATE.KV_desired.*.$KV.desired.h1.>',
    '$JS.API.CONSUMER.DELETE.KV_desired.*',
    '$JS.FC.KV_desired.>',
    '$JS.API.STREAM.INFO.KV_observed',
    '$KV.observed.h1.>',
    'nautilus.v1.evt.h1.>',
  ],
  subscribe: ['_INBOX.h1.>', 'nautilus.v1.cmd.h1.>', '$SRV.>'],
  allowResponses: true,
};

let nats: NatsServer;
let admin: Bus;
const open: Bus[] = [];

beforeAll(async () => {
  const everything = ['>'];
  nats = await startNats({
    jetstream: true,
    config: generateServerConfig({
      port: 4222,
      storeDir: null,
      users: [
        {
          name: 'root',
          nkey: root.publicKey,
          publish: everything,
          subscribe: everything,
          allowResponses: false,
        },
        agentRole,
      ],
    }),
  });
  admin = await testBus(nats, 'admin', { credentials: { nkeySeed: root.seed } });
});
afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close();
});
afterAll(async () => {
  await admin.close();
  await nats[Symbol.asyncDispose]();
});

async function connectAgent(more = {}): Promise<Bus> {
  const bus = await testBus(nats, 'agent', {
    credentials: { nkeySeed: agent.seed },
    inboxPrefix: '_INBOX.h1',
    ...more,
  });
  open.push(bus);
  return bus;
}

const budget: DesiredBudget = { budgetBytes: 1, epoch: 1, plan: 'p', reason: 'r', decidedAt: 1 };

describe('the role of an agent', () => {
  test('is enough to watch and read its own keys, to report, and to obey', async () => {
    const desired = await admin.store(buckets.desired);
    // The same schema in another bucket: only the subjects matter here.
    const observedBucket = { ...buckets.desired, name: 'observed' };
    const observed = await admin.store(observedBucket);
    await desired.put('h1.web', budget);
    const bus = await connectAgent();
    const own = await bus.store(buckets.desired);
    const seen: string[] = [];
    const watch = await own.watch('h1.>', ({ key }) => void seen.push(key));
    expect(seen).toEqual(['h1.web']);
    expect((await own.get('h1.web'))?.value).toEqual(budget);
    await desired.put('h1.db', budget);
    await eventually('the change', () => seen.includes('h1.db'));
    await (await bus.store(observedBucket)).put('h1.web', budget);
    expect((await observed.get('h1.web'))?.value).toEqual(budget);
    await bus.serve({
      name: 'agent',
      version: '1.0.0',
      endpoints: [
        endpoint({ contract: releaseMemory, host: 'h1', party: '*', handle: () => ok({ releasedBytes: 5 }) }),
      ],
    });
    const reply = await admin.request(
      releaseMemory,
      { host: 'h1', party: 'web' },
      { degree: 'trim', bytes: 1, reason: '' },
    );
    expect(reply.releasedBytes).toBe(5);
    await watch.stop();
    expect(bus.stats.permissionViolations).toBe(0);
  });

  test('is refused everything of another host, by the name of the subject', async () => {
    await (await admin.store(buckets.desired)).put('h2.web', budget);
    const bus = await connectAgent();
    const own = await bus.store(buckets.desired);
    const denied = (what: RegExp) => ({ code: 'permission_denied', message: expect.stringMatching(what) });
    await expect(own.get('h2.web')).rejects.toMatchObject(denied(/h2\.web/));
    await expect(own.watch('h2.>', () => undefined)).rejects.toMatchObject(denied(/\$KV\.desired\.h2\.>/));
    await expect(own.snapshot('>')).rejects.toMatchObject(denied(/h2\.web/));
    await expect(own.put('h1.web', budget)).rejects.toMatchObject(denied(/\$KV\.desired\.h1\.web/));
    await expect(bus.store({ ...buckets.schedule })).rejects.toMatchObject(
      denied(/STREAM\.INFO\.KV_schedule/),
    );
    const foreign = bus.serve({
      name: 'agent',
      version: '1.0.0',
      endpoints: [
        endpoint({ contract: releaseMemory, host: 'h2', party: '*', handle: () => ok({ releasedBytes: 0 }) }),
      ],
    });
    await expect(foreign).rejects.toMatchObject(denied(/cmd\.h2/));
  });

  test('M12 a refused subscription is an error at once, a refused publish is logged and counted', async () => {
    const log = recordingLog();
    const bus = await connectAgent({ log });
    await expect(bus.subscribe(memoryPressure, { host: 'h1' }, () => undefined)).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('nautilus.v1.alert.h1.*.memory-pressure'),
    });
    const fact = { at: 1, segment: 's', container: 'c', pool: 'p', bytes: 1, lingeringBytes: 0 };
    bus.publish(leaseEnded, { host: 'h2' }, { ...fact, reason: 'release' });
    await bus.flush();
    await eventually('both are counted', () => bus.stats.permissionViolations === 2);
    const line = log.lines.filter((each) => each.level === 'error').at(-1);
    expect(line?.fields).toEqual({
      operation: 'publish',
      subject: 'nautilus.v1.evt.h2.agent.segment.released',
    });
  });

  test('M12 a role that may not hear its answers is refused at start', async () => {
    await expect(connectAgent({ inboxPrefix: '_INBOX.h2' })).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('_INBOX.h2'),
    });
  });
});
