/** A running monitor in one call, for tests and for programs that embed it. */
import type { App } from '@nautilus/kit';
import { createMonitor, type MonitorOptions } from './monitor.ts';

export interface RunningMonitor {
  readonly app: App;
  /** Of the metrics page. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Resolves when samples are heard and the metrics page is served. */
export async function startMonitor(options: MonitorOptions): Promise<RunningMonitor> {
  const monitor = createMonitor(options);
  await monitor.app.start();
  return { app: monitor.app, port: monitor.port, stop: () => monitor.app.stop('stop was called') };
}
