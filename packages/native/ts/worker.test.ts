import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSegment, mapSegment } from './segment.ts';
import { startWorker } from './testing/worker.ts';

describe('worker threads', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nautilus-worker-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('load the addon at once and share a segment through its descriptor', async () => {
    using segment = createSegment({ name: 'workers', bytes: 4096 });
    using mapping = mapSegment(segment, { access: 'read-write' });
    const workers = [1, 2, 3].map((id) =>
      startWorker(
        `map(input.fd).view(input.id, 1)[0] = input.id;
         const arena = nautilus.createArena({ strategy: 'first_fit', bytes: 1 << 20 });
         for (let round = 0; round < 20000; round += 1) arena.free(arena.allocate(64));
         parentPort.postMessage(arena.stats().frees);`,
        { fd: segment.fd, id },
      ),
    );
    const answers = await Promise.all(workers.map((worker) => once(worker, 'message')));
    expect(answers.flat()).toEqual([20_000, 20_000, 20_000]);
    expect([...mapping.view(0, 4)]).toEqual([0, 1, 2, 3]);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it('give back everything that was open when they are terminated', async () => {
    const openFds = () => readdirSync('/proc/self/fd').length;
    const run = async () => {
      const worker = startWorker(
        `const path = input;
         const kept = [nautilus.createSegment({ name: 'kept', bytes: 4096, kind: 'posix' })];
         kept.push(nautilus.mapSegment(kept[0], { access: 'read-only' }));
         kept.push(nautilus.listen({ path, onConnection: (connection) => {
           kept.push(connection);
           connection.onMessage((_, descriptors) => { kept.push(...descriptors); parentPort.postMessage('ready'); });
         } }));
         const client = await nautilus.connect({ path });
         client.onMessage(() => undefined);
         client.send(Buffer.from('x'), [kept[0]]);
         globalThis.kept = [kept, client];`,
        join(folder, 'worker.sock'),
      );
      await once(worker, 'message');
      await worker.terminate();
    };
    await run();
    const before = openFds();
    for (let round = 0; round < 5; round += 1) await run();
    // One per round would be 5; a few may come or go with Node's own.
    expect(openFds() - before).toBeLessThan(5);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('end by themselves once their connections are closed', async () => {
    const worker = startWorker(
      `const listener = nautilus.listen({ path: input, onConnection: (connection) => {
         connection.onClose((reason) => { parentPort.postMessage(reason); listener.close(); });
       } });
       (await nautilus.connect({ path: input })).close();`,
      join(folder, 'ends.sock'),
    );
    const [[reason], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    expect([reason, code]).toEqual(['peer', 0]);
  });
});
