/** A candidate that commands as fast as it can while it believes that it leads: for killing and stopping. */
import { NautilusError, releaseMemory } from '@nautilus/contracts';
import { connectBus } from '../connect.ts';
import { shortLease } from './lease-bucket.ts';

const [, , servers = '', holder = ''] = process.argv;
const bus = await connectBus({ servers, name: holder, reconnectDelayMs: 100 });
const lease = bus.leaderLease({ service: 'test', holder, bucket: shortLease });
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say('campaigning');
const command = async (epoch: number): Promise<string> => {
  const body = { degree: 'trim' as const, bytes: 1, reason: holder };
  try {
    await bus.request(releaseMemory, { host: 'h1', party: 'c' }, body, { epoch, timeoutMs: 500 });
    return 'obeyed';
  } catch (error) {
    return error instanceof NautilusError ? error.code : String(error);
  }
};
await lease.run(async (epoch, signal) => {
  say(`leading ${epoch}`);
  while (!signal.aborted) await command(epoch);
  say(`lost ${epoch}`);
  // On purpose after the loss: the epoch alone must protect the followers from it.
  say(`late ${epoch} ${await command(epoch)}`);
}, new AbortController().signal);
