import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pool } from './pool.ts';
import { Rig, segmentBytes } from './testing/rig.ts';

let rig: Rig;
let pool: Pool;
beforeEach(async () => {
  rig = new Rig();
  rig.agent.strategy = 'stack';
  pool = (await rig.client()).pool('websocket', { segmentBytes });
});
afterEach(() => rig[Symbol.asyncDispose]());

const half = segmentBytes / 2;

describe('a stack pool', () => {
  it('rewinds over segments to a mark in an earlier one', async () => {
    const kept = await pool.allocate(half);
    kept.view().fill(5);
    const mark = pool.mark();
    const later = [await pool.allocate(half), await pool.allocate(half), await pool.allocate(segmentBytes)];
    expect(new Set([kept, ...later].map((block) => block.segment)).size).toBe(3);

    pool.rewind(mark);
    for (const block of later) expect(() => block.view()).toThrow(/freed before/);
    for (const block of later) expect(() => block.free()).toThrow(/freed before/);
    expect(kept.view()[half - 1]).toBe(5);
    expect(pool.segments().map((segment) => segment.liveBytes)).toEqual([half, 0, 0]);

    const next = await pool.allocate(half);
    expect(next).toMatchObject({ segment: kept.segment, offset: half });
    expect(later[0]?.offset).toBe(half);
    expect(() => later[0]?.view()).toThrow(expect.objectContaining({ code: 'unknown_block' }));
  });

  it('frees everything at the mark of an empty pool, and counts it', async () => {
    const client = await rig.client();
    const empty = client.pool('websocket', { segmentBytes });
    const mark = empty.mark();
    for (let at = 0; at < 5; at += 1) await empty.allocate(half);
    empty.rewind(mark);
    expect(empty.segments().every((segment) => segment.liveBytes === 0)).toBe(true);
    expect(client.stats()).toMatchObject({ allocations: 5, frees: 5 });
    expect(await empty.trim()).toBe(3 * segmentBytes);
  });

  it('goes on above its newest block, not in the room below it', async () => {
    const low = await pool.allocate(half);
    const high = await pool.allocate(segmentBytes);
    const next = await pool.allocate(64);
    expect([low.segment, high.segment]).not.toContain(next.segment);
    next.free();
    high.free();
    expect((await pool.allocate(64)).segment).toBe(low.segment);
  });

  it('refuses a free that is not the newest, and a mark that is gone', async () => {
    const first = await pool.allocate(64);
    const second = await pool.allocate(64);
    expect(() => first.free()).toThrow(/newest block first/);
    const mark = pool.mark();
    second.free();
    expect(() => pool.rewind(mark)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(first.view()).toHaveLength(64);
  });

  it('refuses the mark of another pool, and marks where there is no stack', async () => {
    const client = await rig.client();
    const other = client.pool('temporary', { segmentBytes });
    await other.allocate(64);
    expect(() => pool.rewind(other.mark())).toThrow(/belongs to pool "temporary"/);
    rig.agent.strategy = 'first_fit';
    const flat = client.pool('trading', { segmentBytes });
    await flat.allocate(64);
    expect(() => flat.mark()).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });
});
