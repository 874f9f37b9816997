/** The orchestrator with an nkey from a file and the permissions of its role, on a server that enforces them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, createNkey, generateServerConfig } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { configSchema, explainPlan, permissionsOf } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { expect, it, vi } from 'vitest';
import { startOrchestrator } from './index.ts';
import { FakeHost, MiB } from './testing/fake-host.ts';

it('plans and explains with the permissions of its role alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nautilus-orchestrator-'));
  const root = createNkey();
  const own = createNkey();
  const seedFile = join(folder, 'orchestrator.seed');
  await writeFile(seedFile, `${own.seed}\n`, { mode: 0o600 });
  const role = permissionsOf('orchestrator', { host: '*', party: 'orchestrator' });
  const everything = { publish: ['>'], subscribe: ['>'], allowResponses: false };
  const nats = await startNats({
    jetstream: true,
    config: generateServerConfig({
      port: 4222,
      storeDir: null,
      users: [
        { name: 'root', nkey: root.publicKey, ...everything },
        { name: 'orchestrator', nkey: own.publicKey, ...role },
      ],
    }),
  });
  const bus = await connectBus({ servers: nats.url, name: 'root', credentials: { nkeySeed: root.seed } });
  const orchestrator = await startOrchestrator({
    config: configSchema.parse({
      nats: { servers: [nats.url], seed_file: seedFile },
      orchestrator: { port: 0, interval: '200ms' },
    }),
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  try {
    const host = await FakeHost.open(bus, 'h1', 1024 * MiB);
    await host.report({ a: { leasedBytes: 400 * MiB } });
    await vi.waitFor(async () => expect(await host.budgets()).toEqual({ a: 500 }), {
      timeout: 10_000,
      interval: 20,
    });
    const { plan, leader } = await bus.request(explainPlan, {}, { host: 'h1' });
    expect([leader, plan?.budgets.length]).toEqual([true, 1]);
    const page = await (await fetch(`http://127.0.0.1:${orchestrator.port}/metrics`)).text();
    expect(page).toContain('nautilus_memory_bus_operations_total{operation="permission_violations"} 0');
  } finally {
    await orchestrator.stop();
    await bus.close();
    await nats[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
