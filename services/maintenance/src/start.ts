/** Runs maintenance inside a process that has a life of its own: an umbrella, or a test. */
import type { App } from '@nautilus/kit';
import { createMaintenance, type MaintenanceOptions } from './app.ts';

export interface RunningMaintenance {
  readonly port: number;
  readonly app: App;
  stop(): Promise<void>;
}

export async function startMaintenance(options: MaintenanceOptions): Promise<RunningMaintenance> {
  const maintenance = createMaintenance(options);
  await maintenance.app.start();
  return {
    port: maintenance.port,
    app: maintenance.app,
    stop: () => maintenance.app.stop('stop was called'),
  };
}
