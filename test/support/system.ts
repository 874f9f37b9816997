/** A host with every service in this process, and the command line typed at it. */
import { type Typed, type TypedOptions, type as typeLine } from '@nautilus/cli/testing';
import { createLogger } from '@nautilus/kit';
import { startMaintenance } from '@nautilus/maintenance';
import { startMonitor } from '@nautilus/monitor';
import { startOrchestrator } from '@nautilus/orchestrator';
import { type Host, startHost } from './host.ts';

export interface System extends AsyncDisposable {
  readonly host: Host;
  type(line: readonly string[], options?: TypedOptions): Promise<Typed>;
}

export async function startSystem(sections: Record<string, Record<string, unknown>> = {}): Promise<System> {
  const host = await startHost(sections);
  const { config } = host;
  const log = createLogger({ name: 'services', level: config.log.level });
  const services = [
    await startMonitor({ config, log }),
    await startOrchestrator({ config, log }),
    await startMaintenance({ config, log }),
  ];
  return {
    host,
    // What is typed comes last, so that it overrides.
    type: ([command = '', ...rest], options) =>
      typeLine([command, '--nats', host.nats.url, '--host', config.host.id, ...rest], options),
    async [Symbol.asyncDispose]() {
      for (const service of services.reverse()) await service.stop();
      await host[Symbol.asyncDispose]();
    },
  };
}
