/** A client that speaks NATS and nothing else: blocks in segments that the agent keeps, found again after a restart. */
import { existsSync, readdirSync } from 'node:fs';
import { exchanges } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../support/host.ts';

const at = { host: 'h1', party: 'reporting' };

describe('kept blocks', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const allocate = (bytes: number) =>
    host.bus.request(exchanges.allocateBlock, at, { pool: 'temporary', bytes });
  const free = (block: string) => host.bus.request(exchanges.freeBlock, at, { block });

  it('have places that do not overlap', async () => {
    const blocks = await Promise.all([1000, 5000, 64, 100_000].map(allocate));
    const places = blocks
      .map(({ offset, length }) => [offset, offset + length])
      .sort(([a = 0], [b = 0]) => a - b);
    for (let index = 1; index < places.length; index += 1) {
      expect(places[index]?.[0]).toBeGreaterThanOrEqual(places[index - 1]?.[1] ?? Number.POSITIVE_INFINITY);
    }
    const described = await host.bus.request(exchanges.describeBlocks, at, {});
    expect(described.blocks).toHaveLength(4);
    for (const { block } of blocks) await free(block);
    expect((await host.bus.request(exchanges.describeBlocks, at, {})).blocks).toEqual([]);
  });

  it('are released once, by their owner', async () => {
    const { block } = await allocate(100);
    await expect(
      host.bus.request(exchanges.freeBlock, { host: 'h1', party: 'archive' }, { block }),
    ).rejects.toMatchObject({ code: 'unknown_block' });
    expect(await free(block)).toEqual({ block, freedBytes: 100 });
    await expect(free(block)).rejects.toMatchObject({ code: 'unknown_block' });
  });

  it('survive a restart of the agent at the same places, and no number is used twice', async () => {
    const before = [await allocate(4096), await allocate(777)];
    await free((await allocate(50)).block);
    await host.restartAgent();
    const after = await host.bus.request(exchanges.describeBlocks, at, {});
    expect(after.blocks).toEqual(before);
    const next = await allocate(64);
    expect(before.map(({ block }) => block)).not.toContain(next.block);
    const ends = before.map(({ offset, length }) => offset + length);
    expect(next.offset).toBeGreaterThanOrEqual(Math.max(...ends));
    for (const { block } of [...before, next]) await free(block);
  });

  it('leave no file behind when the last one is freed', async () => {
    const { block, segment } = await allocate(64);
    expect(readdirSync(host.config.host.state_dir)).toContain(segment);
    await free(block);
    expect(existsSync(`${host.config.host.state_dir}/${segment}`)).toBe(false);
  });

  it('are listed from a block on that is gone by now', async () => {
    const blocks = [];
    for (let turn = 0; turn < 4; turn += 1) blocks.push(await allocate(64));
    const after = blocks[1]?.block ?? '';
    await free(after);
    const rest = await host.bus.request(exchanges.describeBlocks, at, { after });
    expect(rest.blocks.map(({ block }) => block)).toEqual(blocks.slice(2).map(({ block }) => block));
    for (const [index, { block }] of blocks.entries()) if (index !== 1) await free(block);
  });

  it('are refused in a pool whose strategy the agent cannot keep, with the reason', async () => {
    await expect(
      host.bus.request(exchanges.allocateBlock, at, { pool: 'websocket', bytes: 64 }),
    ).rejects.toMatchObject({ code: 'unsupported' });
  });
});
