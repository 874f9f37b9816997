/** Maintenance with an nkey from a file and the permissions of its role, on a server that enforces them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, createNkey, generateServerConfig } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { configSchema, type JobRun, jobFinished, permissionsOf, runJob } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { expect, it, vi } from 'vitest';
import { startMaintenance } from './index.ts';
import { appear, serveAgent } from './testing/fake-agent.ts';

it('keeps the calendar and runs jobs with the permissions of its role alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nautilus-maintenance-'));
  const root = createNkey();
  const own = createNkey();
  const seedFile = join(folder, 'maintenance.seed');
  await writeFile(seedFile, `${own.seed}\n`, { mode: 0o600 });
  const role = permissionsOf('maintenance', { host: '*', party: 'maintenance' });
  const everything = { publish: ['>'], subscribe: ['>'], allowResponses: false };
  const nats = await startNats({
    jetstream: true,
    config: generateServerConfig({
      port: 4222,
      storeDir: null,
      users: [
        { name: 'root', nkey: root.publicKey, ...everything },
        { name: 'maintenance', nkey: own.publicKey, ...role },
      ],
    }),
  });
  const bus = await connectBus({ servers: nats.url, name: 'root', credentials: { nkeySeed: root.seed } });
  const maintenance = await startMaintenance({
    config: configSchema.parse({
      nats: { servers: [nats.url], seed_file: seedFile },
      maintenance: { port: 0, clean_up: '* * * * * *' },
    }),
    log: createLogger({ name: 'test', level: 'silent' }),
  });
  try {
    const finished: JobRun[] = [];
    await bus.subscribe(jobFinished, {}, (run) => void finished.push(run));
    await serveAgent(bus, 'h1');
    expect(await bus.request(runJob, {}, { job: 'clean-up', host: 'h1' })).toMatchObject({ outcome: 'done' });
    await appear(bus, 'h1');
    await vi.waitFor(
      () =>
        expect(finished.map(({ trigger, outcome }) => [trigger, outcome])).toContainEqual([
          'schedule',
          'done',
        ]),
      { timeout: 10_000, interval: 20 },
    );
    const page = await (await fetch(`http://127.0.0.1:${maintenance.port}/metrics`)).text();
    expect(page).toContain('nautilus_memory_bus_operations_total{operation="permission_violations"} 0');
  } finally {
    await maintenance.stop();
    await bus.close();
    await nats[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
