/** Runs the orchestrator inside a process that has a life of its own: an umbrella, or a test. */
import type { App } from '@nautilus/kit';
import { createOrchestrator, type OrchestratorOptions } from './app.ts';

export interface RunningOrchestrator {
  readonly port: number;
  readonly app: App;
  stop(): Promise<void>;
}

export async function startOrchestrator(options: OrchestratorOptions): Promise<RunningOrchestrator> {
  const orchestrator = createOrchestrator(options);
  await orchestrator.app.start();
  return {
    port: orchestrator.port,
    app: orchestrator.app,
    stop: () => orchestrator.app.stop('stop was called'),
  };
}
