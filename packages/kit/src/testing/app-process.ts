/** A small service for the tests of signals and uncaught errors; the first argument says how it behaves. */
import { setTimeout as pause } from 'node:timers/promises';
import { createApp } from '../lifecycle/app.ts';
import { runApp } from '../lifecycle/run-app.ts';
import { createLogger } from '../log.ts';

const behaviour = process.argv[2];
const log = createLogger({ name: 'process' });
const keepAlive = setInterval(() => undefined, 1_000);

const app = createApp({
  name: 'process',
  log,
  components: [
    {
      name: 'work',
      start() {
        if (behaviour === 'throw') setTimeout(() => Promise.reject(new Error('nobody catches me')), 10);
      },
      async drain() {
        if (behaviour === 'hang') await pause(60_000);
        log.info('drained');
      },
      stop: () => clearInterval(keepAlive),
      deadlineMs: 30_000,
    },
  ],
});

process.exit(await runApp(app));
