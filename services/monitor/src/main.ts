/** The process of the monitor: `--config FILE`, else NAUTILUS_CONFIG, else ./nautilus.yaml if there is one. */
import { runService } from '@nautilus/kit';
import { createMonitor } from './monitor.ts';

await runService('monitor', createMonitor);
