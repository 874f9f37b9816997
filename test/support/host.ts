/** A host for tests: a real NATS, a real agent in this process, and connections that speak as any party. */

import { type AllocatorOptions, createAllocator, type RunningAllocator } from '@nautilus/allocator';
import { type Bus, connectBus } from '@nautilus/bus';
import { type NatsServer, startNats } from '@nautilus/bus/testing';
import { connect, type NautilusClient } from '@nautilus/client';
import type { Config } from '@nautilus/contracts';
import { createLogger } from '@nautilus/kit';
import { testConfig } from './config.ts';

export interface Host extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly config: Config;
  readonly bus: Bus;
  agent: RunningAllocator;
  client(container: string): Promise<NautilusClient>;
  restartAgent(): Promise<void>;
}

export interface HostOptions {
  /** Default: none are looked for, because drivers take longer than most tests. */
  readonly openDevices?: AllocatorOptions['openDevices'];
}

const noDevices = () => ({ devices: [], absent: { vulkan: 'not looked for', metal: 'not looked for' } });

export async function startHost(
  sections: Record<string, Record<string, unknown>> = {},
  { openDevices = noDevices }: HostOptions = {},
): Promise<Host> {
  const nats = await startNats({ jetstream: true });
  const { config, remove } = testConfig(nats.url, sections);
  const clients: NautilusClient[] = [];
  const start = async () => {
    const log = createLogger({ name: 'agent', level: config.log.level });
    const agent = createAllocator({ config, log, openDevices });
    await agent.app.start();
    return agent;
  };
  const agent = await start();
  const bus = await connectBus({ servers: nats.url, name: 'test' });
  const host: Host = {
    nats,
    config,
    bus,
    agent,
    async client(container) {
      const client = await connect({ container, host: config.host.id, servers: nats.url });
      clients.push(client);
      return client;
    },
    async restartAgent() {
      await host.agent.app.stop('restart');
      host.agent = await start();
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(clients.map((client) => client.close()));
      await bus.close();
      await host.agent.app.stop('end of test');
      await nats[Symbol.asyncDispose]();
      remove();
    },
  };
  return host;
}
