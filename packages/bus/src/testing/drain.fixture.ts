/** A service whose handlers take a while and which drains on SIGTERM: no reply may be lost. */
import { ok, releaseMemory } from '@nautilus/contracts';
import { connectBus } from '../connect.ts';
import { endpoint } from '../serve.ts';

const bus = await connectBus({ servers: process.argv[2] ?? '', name: 'drain-fixture' });
await bus.serve({
  name: 'drain',
  version: '1.0.0',
  endpoints: [
    endpoint({
      contract: releaseMemory,
      host: 'h1',
      party: 'c',
      concurrency: 8,
      handle: async (body) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return ok({ releasedBytes: body.bytes });
      },
    }),
  ],
});
process.once('SIGTERM', () => {
  void bus.close().then(() => process.stdout.write(`handled ${bus.stats.handled}\n`));
});
process.stdout.write('ready\n');
