/** The agent with an echo responder on its own connection: the peer that a lease is measured against. */
import { createAllocator } from '@nautilus/allocator';
import { unwrap } from '@nautilus/contracts';
import { createLogger, loadServiceConfig, runApp } from '@nautilus/kit';
import { echoSubject } from './stage.ts';

const config = unwrap(
  loadServiceConfig({ argv: ['--config', process.argv[2] ?? ''], env: {}, cwd: process.cwd() }),
);
const allocator = createAllocator({ config, log: createLogger({ name: 'agent', level: config.log.level }) });
allocator.app.onState(async (state) => {
  if (state !== 'ready') return;
  await allocator.bus()?.respondRaw(echoSubject, (bytes) => bytes);
  process.stdout.write('ready\n');
});
process.exit(await runApp(allocator.app));
