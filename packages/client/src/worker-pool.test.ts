import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rig, segmentBytes } from './testing/rig.ts';
import { attachPool } from './worker-pool.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

const tsx = JSON.stringify(createRequire(import.meta.url).resolve('tsx/esm/api'));
const index = JSON.stringify(new URL('./worker-pool.ts', import.meta.url).href);
const unknownBlock = expect.objectContaining({ code: 'unknown_block' });

describe('a pool in a worker thread', () => {
  it('allocates in segments of the main thread, and either thread ends what the other began', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const mine = await pool.allocate(100);
    mine.view().fill(1);
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       require(${tsx}).register();
       import(${index}).then(({ attachPool }) => {
         const pool = attachPool(workerData.shared);
         const seen = pool.view(workerData.mine)[99];
         pool.free(workerData.mine);
         const block = pool.tryAllocate(200);
         pool.view(block).fill(2);
         parentPort.postMessage({ seen, block });
         parentPort.once('message', () => { pool.close(); process.exit(0); });
       });`,
      { eval: true, workerData: { shared: pool.share(), mine: mine.name } },
    );
    const [{ seen, block }] = await once(worker, 'message');
    expect(seen).toBe(1);
    expect(() => mine.free()).toThrow(unknownBlock);
    const theirs = pool.adopt(block);
    expect(theirs.view()).toEqual(new Uint8Array(200).fill(2));
    expect(pool.segments()[0]?.liveBytes).toBe(256);
    // The worker's block keeps the segment, though this thread never allocated it.
    expect(await pool.trim()).toBe(0);
    theirs.free();
    expect(() => pool.adopt(block)).toThrow(unknownBlock);
    // Nothing lives, but the worker may begin a block at any moment.
    expect(await pool.trim()).toBe(0);
    worker.postMessage('end');
    await once(worker, 'exit');
    expect(await pool.trim()).toBe(segmentBytes);
  });

  it('knows the segments it was told of, and says what to do about others', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const first = await pool.allocate(segmentBytes);
    using attached = attachPool(pool.share());
    expect(attached.tryAllocate(64)).toBeNull();
    const second = await pool.allocate(1000);
    expect(() => attached.find(second.name)).toThrow(
      expect.objectContaining({
        code: 'unknown_segment',
        message: expect.stringContaining('share the pool again'),
      }),
    );
    attached.extend(pool.share());
    expect(attached.tryAllocate(64)?.segment).toBe(second.segment);
    expect(attached.find(second.name)).toEqual({ ...second.name, offset: second.offset, length: 1000 });
    expect(attached.tryAllocate(64)).not.toBeNull();
    attached.free(first.name);
    expect(() => attached.free(first.name)).toThrow(unknownBlock);
    attached.close();
    expect(() => attached.tryAllocate(64)).toThrow(expect.objectContaining({ code: 'already_released' }));
  });

  it('needs a process that has the arena', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    await pool.allocate(1);
    const shared = pool.share();
    const foreign = shared.segments.map((segment) => ({
      ...segment,
      arena: { ...segment.arena, arena: 10 ** 6 },
    }));
    expect(() => attachPool({ ...shared, segments: foreign })).toThrow(
      expect.objectContaining({ code: 'already_released' }),
    );
  });
});
