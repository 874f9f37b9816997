import { leaseSegment, NautilusError } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal } from './testing/fake-bus.ts';
import { Rig, segmentBytes, until } from './testing/rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig[Symbol.asyncDispose]());

function leases(): number {
  return rig.bus.asked.filter((subject) => subject.endsWith('.segment.lease')).length;
}

describe('a pool', () => {
  it('hands out a block whose bytes are in place, and takes it back once', async () => {
    const client = await rig.client();
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(1024);
    expect(block).toMatchObject({ pool, offset: 0, length: 1024, copied: false });
    pool.view(block).fill(7);
    expect(block.view()).toEqual(new Uint8Array(1024).fill(7));
    expect(rig.agent.ledgerOf(block.segment)).toMatchObject({ liveBlocks: 1, liveBytes: 1024 });
    expect(pool.segments()).toEqual([{ id: block.segment, bytes: segmentBytes, liveBytes: 1024 }]);

    pool.free(block);
    expect(rig.agent.ledgerOf(block.segment)).toMatchObject({ liveBlocks: 0, frees: 1 });
    expect(() => pool.free(block)).toThrow(expect.objectContaining({ code: 'unknown_block' }));
    expect(() => block.view()).toThrow(expect.objectContaining({ code: 'unknown_block' }));
    expect(client.stats()).toMatchObject({
      allocations: 1,
      frees: 1,
      bytesCopied: 0,
      bytesShared: segmentBytes,
    });
  });

  it('frees a block at the end of its scope, and not a second time', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    {
      using kept = await pool.allocate(128);
      expect(pool.segments()[0]?.liveBytes).toBe(128);
      using freedBefore = await pool.allocate(50);
      freedBefore.free();
      expect(kept.length).toBe(128);
    }
    expect(pool.segments()[0]?.liveBytes).toBe(0);
  });

  it('aligns a block as asked', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    await pool.allocate(1);
    const block = await pool.allocate(10, { alignment: 4096 });
    expect(block.offset).toBe(4096);
    await expect(pool.allocate(10, { alignment: 3 })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 48])(
    'refuses a block of %s bytes without asking for a segment',
    async (bytes) => {
      const pool = (await rig.client()).pool('trading');
      await expect(pool.allocate(bytes)).rejects.toMatchObject({ code: 'invalid_size' });
      expect(leases()).toBe(0);
    },
  );

  it('tries without waiting, and only in what it holds', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    expect(pool.tryAllocate(100)).toBeNull();
    await pool.reserve(100);
    expect(pool.tryAllocate(100)?.length).toBe(100);
    expect(pool.tryAllocate(segmentBytes)).toBeNull();
    expect(leases()).toBe(1);
  });

  it('grows by segments, and by a larger one for a larger block', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const first = await pool.allocate(segmentBytes);
    const second = await pool.allocate(segmentBytes);
    expect(second.segment).not.toBe(first.segment);
    const large = await pool.allocate(5 * segmentBytes + 1);
    const figures = pool.segments().find((segment) => segment.id === large.segment);
    expect(figures?.bytes).toBe(5 * segmentBytes + 4096);
    first.free();
    expect((await pool.allocate(segmentBytes)).segment).toBe(first.segment);
    expect(leases()).toBe(3);
  });

  it('widens the segment for a strategy that cuts in powers of two', async () => {
    rig.agent.strategy = 'buddy';
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const block = await pool.allocate(3 * segmentBytes);
    block.view().fill(1);
    expect(block.length).toBe(3 * segmentBytes);
    expect(pool.segments()).toHaveLength(1);
    expect(rig.agent.stored.size).toBe(1);
  });

  it('shares one lease among callers at once', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const blocks = await Promise.all(Array.from({ length: 20 }, () => pool.allocate(1000)));
    expect(leases()).toBe(1);
    expect(new Set(blocks.map((block) => block.offset)).size).toBe(20);
  });

  it('leases again when one segment is not enough for all who waited', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const blocks = await Promise.all(Array.from({ length: 5 }, () => pool.allocate(segmentBytes)));
    expect(new Set(blocks.map((block) => block.segment)).size).toBe(5);
    expect(leases()).toBe(5);
  });

  it('hands a refusal of the agent on, with its code, to everyone who waited', async () => {
    rig.bus.answer(leaseSegment, () => {
      throw refusal('over_budget', 'asked 64KiB, available 0B');
    });
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const outcomes = await Promise.allSettled([pool.allocate(1), pool.allocate(1)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'over_budget', name: 'NautilusError' },
      });
    expect(leases()).toBe(1);
  });

  it('releases empty segments and answers their bytes', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const blocks = [await pool.allocate(segmentBytes), await pool.allocate(segmentBytes)];
    expect(await pool.trim()).toBe(0);
    blocks[0]?.free();
    expect(await pool.trim()).toBe(segmentBytes);
    expect(pool.segments().map((segment) => segment.id)).toEqual([blocks[1]?.segment]);
    expect([...rig.agent.stored.keys()]).toEqual([blocks[1]?.segment]);
  });

  it('keeps empty segments while NATS is away: they still serve', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    (await pool.allocate(10)).free();
    rig.bus.state = 'disconnected';
    expect(await pool.trim()).toBe(0);
    expect(pool.tryAllocate(10)).not.toBeNull();
    rig.bus.state = 'connected';
  });

  it('releases later what it could not release at once', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    (await pool.allocate(10)).free();
    rig.agent.stop();
    expect(await pool.trim()).toBe(0);
    expect(pool.segments()).toEqual([]);
    expect(rig.agent.stored.size).toBe(1);
    rig.agent.start();
    await rig.bus.reconnect();
    expect(rig.agent.stored.size).toBe(0);
  });

  it('is one object a name, with one set of options', async () => {
    const client = await rig.client();
    const pool = client.pool('trading', { segmentBytes });
    expect(client.pool('trading')).toBe(pool);
    expect(client.pool('trading', { segmentBytes })).toBe(pool);
    expect(() => client.pool('trading', { segmentBytes: 1 })).toThrow(/in use with segmentBytes 65536/);
    expect(() => client.pool('Trading')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('refuses the blocks of another pool', async () => {
    const client = await rig.client();
    const block = await client.pool('trading', { segmentBytes }).allocate(1);
    const other = client.pool('risk', { segmentBytes });
    expect(() => other.free(block)).toThrow(/belongs to pool "trading"/);
    await expect(other.grant(block.segment, 'risk-engine')).rejects.toMatchObject({
      code: 'unknown_segment',
    });
  });
});

describe('a cancelled allocation', () => {
  it('does not start when its signal is aborted', async () => {
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    await expect(pool.allocate(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(leases()).toBe(0);
  });

  it('gives the lease back when nobody waits any more', async () => {
    rig.agent.ignore.add('redeem');
    const pool = (await rig.client()).pool('trading', { segmentBytes });
    const abort = new AbortController();
    const waiting = pool.allocate(1, { signal: abort.signal });
    await until('the ticket is redeemed', () => rig.agent.framesOf('redeem').length === 1);
    abort.abort();
    const error = await waiting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NautilusError);
    expect(error).toMatchObject({ code: 'cancelled' });
    await until('the lease is released', () => rig.agent.stored.size === 0);
  });

  it('leaves the others waiting for the same segment alone', async () => {
    rig.agent.ignore.add('mapped');
    const client = await rig.client('trading-engine', { timing: { socketTimeoutMs: 100 } });
    const pool = client.pool('trading', { segmentBytes });
    const abort = new AbortController();
    const leaving = pool.allocate(1, { signal: abort.signal });
    const staying = pool.allocate(2);
    await until('the segment is mapped', () => rig.agent.framesOf('mapped').length === 1);
    abort.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
    rig.agent.ignore.clear();
    expect((await staying).length).toBe(2);
  });
});
