/** The process of the orchestrator. */
import { runService } from '@nautilus/kit';
import { createOrchestrator } from './app.ts';

await runService('orchestrator', createOrchestrator);
