/** The process of the maintenance service. */
import { runService } from '@nautilus/kit';
import { createMaintenance } from './app.ts';

await runService('maintenance', createMaintenance);
