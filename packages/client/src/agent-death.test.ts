import { openSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NautilusClient } from './client.ts';
import type { Loss } from './context.ts';
import { Rig, segmentBytes, until } from './testing/rig.ts';

let rig: Rig;
let client: NautilusClient;
let losses: Loss[];
beforeEach(async () => {
  rig = new Rig();
  client = await rig.client();
  losses = [];
  client.onLost((loss) => losses.push(loss));
});
afterEach(() => rig[Symbol.asyncDispose]());

async function stopAgent(): Promise<void> {
  rig.agent.stop();
  await until('the client has seen it', () => !client.connected.agent);
}

async function restartAgent(): Promise<void> {
  rig.agent.start();
  await until('the client is back', () => client.connected.agent);
}

describe('when the agent dies', () => {
  it('goes on with what it holds, and hands it back', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(128);
    block.view().fill(3);
    await pool.allocate(segmentBytes);
    expect(client.connected).toEqual({ nats: true, agent: true });
    await stopAgent();

    const during = await pool.allocate(64);
    expect(during.segment).toBe(block.segment);
    block.view().fill(4);
    during.free();

    await restartAgent();
    const returned = rig.agent.framesOf('return').map((frame) => ('segment' in frame ? frame.segment : ''));
    expect(returned.toSorted()).toEqual([...rig.agent.stored.keys()].toSorted());
    expect(rig.agent.ledgerOf(block.segment)).toMatchObject({ liveBlocks: 1, allocations: 2 });
    expect(block.view()).toEqual(new Uint8Array(128).fill(4));
    expect(client.stats().reconnects).toBe(1);
    expect(losses).toEqual([]);

    await pool.grant(block, 'risk-engine');
    await using granted = await (await rig.client('risk-engine')).open(block.segment);
    expect(granted.view(block.offset, 1)[0]).toBe(4);
  });

  it('hands read-only segments back with their payload alone', async () => {
    const block = await client.pool('trading', { segmentBytes }).allocate(64);
    await block.grant('risk-engine');
    const reader = await rig.client('risk-engine');
    await using granted = await reader.open(block.segment);
    await stopAgent();
    await restartAgent();
    await until('the reader is back', () => reader.stats().reconnects === 1);
    expect(rig.agent.framesOf('return')).toContainEqual(
      expect.objectContaining({ access: 'read-only', container: 'risk-engine', segment: granted.segment }),
    );
    expect(rig.agent.stored.get(block.segment)?.readers).toContain('risk-engine');
    expect(granted.ended).toBe(false);
  });

  it('asks again when the agent is not ready to take it', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(64);
    await stopAgent();
    rig.agent.refuse.set('return', 'not_ready');
    rig.agent.start();
    await until('three attempts', () => rig.agent.framesOf('return').length >= 3);
    expect(client.connected.agent).toBe(false);
    rig.agent.refuse.clear();
    await until('the client is back', () => client.connected.agent);
    expect(losses).toEqual([]);
    expect(pool.segments().map((segment) => segment.id)).toEqual([block.segment]);
  });

  it('tells of a refused segment, and keeps it mapped while blocks live', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(64);
    block.view().fill(8);
    await stopAgent();
    rig.agent.refuse.set('return', 'unknown_segment');
    await restartAgent();
    expect(losses).toEqual([{ segment: block.segment, reason: expect.stringMatching(/unknown_segment/) }]);

    expect(pool.segments()).toEqual([]);
    expect(pool.tryAllocate(64)).toBeNull();
    expect(block.view()[0]).toBe(8);
    expect(client.stats().segmentsHeld).toBe(1);
    expect((await pool.allocate(64)).segment).not.toBe(block.segment);
    block.free();
    expect(client.stats().segmentsHeld).toBe(1);
    expect(pool.segments()).toHaveLength(1);
  });

  it('ends a read-only segment that is refused', async () => {
    const block = await client.pool('trading', { segmentBytes }).allocate(64);
    await block.grant('risk-engine');
    const reader = await rig.client('risk-engine');
    const lost: Loss[] = [];
    reader.onLost((loss) => lost.push(loss));
    const granted = await reader.open(block.segment);
    rig.agent.stop();
    rig.agent.refuse.set('return', 'unknown_segment');
    rig.agent.start();
    await until('it has ended', () => granted.ended);
    expect(lost.map((loss) => loss.segment)).toEqual([block.segment]);
    expect(reader.stats().segmentsOpen).toBe(0);
  });

  it('lets a new allocation wait for the agent', async () => {
    const pool = client.pool('trading', { segmentBytes });
    await pool.allocate(segmentBytes);
    await stopAgent();
    const waiting = pool.allocate(segmentBytes);
    await new Promise((resolve) => setTimeout(resolve, 100));
    rig.agent.start();
    expect((await waiting).length).toBe(segmentBytes);
    expect(rig.agent.stored.size).toBe(2);
  });

  it('lets a waiting allocation be cancelled, and ends its patience', async () => {
    const impatient = await rig.client('risk-engine', { requestTimeoutMs: 30 });
    rig.agent.stop();
    const abort = new AbortController();
    const waiting = client.pool('trading', { segmentBytes }).allocate(1, { signal: abort.signal });
    setTimeout(() => abort.abort(), 30);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    const given = impatient.pool('risk', { segmentBytes }).allocate(1);
    await expect(given).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/gave up after/),
    });
  });

  it('tries again with a new lease when it dies between lease and mapping', async () => {
    rig.agent.ignore.add('redeem');
    const waiting = client.pool('trading', { segmentBytes }).allocate(64);
    await until('the ticket is redeemed', () => rig.agent.framesOf('redeem').length === 1);
    rig.agent.stop();
    rig.agent.ignore.clear();
    rig.agent.start();
    const block = await waiting;
    expect([...rig.agent.stored.keys()]).toContain(block.segment);
    await until('the first lease is given back', () => rig.agent.stored.size === 1);
  });

  it('stops coming back when the last segment is given up meanwhile', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(1);
    await stopAgent();
    block.free();
    await pool.trim();
    rig.agent.start();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(rig.agent.connections).toBe(0);
  });

  it('opens the socket at once for a new segment when nothing was held', async () => {
    const slow = await rig.client('risk-engine', {
      timing: { firstBackoffMs: 1000, longestBackoffMs: 1000 },
    });
    const pool = slow.pool('risk', { segmentBytes });
    (await pool.allocate(1)).free();
    await pool.trim();
    rig.agent.stop();
    await until('the client has seen it', () => !slow.connected.agent);
    rig.agent.start();
    const before = rig.bus.asked.length;
    await pool.allocate(1);
    expect(rig.bus.asked.slice(before)).toEqual(['nautilus.v1.req.h1.risk-engine.segment.lease']);
  });

  it('does not come back for nothing', async () => {
    const pool = client.pool('trading', { segmentBytes });
    (await pool.allocate(1)).free();
    await pool.trim();
    await stopAgent();
    rig.agent.start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(rig.agent.connections).toBe(0);
    expect((await pool.allocate(1)).length).toBe(1);
  });
});

describe('when the agent ends a lease', () => {
  it('loses the segment, and answers when the last block is freed', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(64);
    rig.agent.end(block.segment, 'trading-engine', 'lease expired');
    await until('the loss', () => losses.length === 1);
    expect(losses).toEqual([{ segment: block.segment, reason: 'lease expired' }]);
    expect(pool.segments()).toEqual([]);
    expect(block.view()).toHaveLength(64);
    expect(rig.agent.framesOf('closed')).toEqual([]);
    block.free();
    await until('the answer', () => rig.agent.framesOf('closed').length === 1);
    expect(() => block.view()).toThrow(/freed before/);
    expect(client.stats().segmentsHeld).toBe(0);
  });

  it('is not returned after a restart', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const lost = await pool.allocate(64);
    rig.agent.end(lost.segment, 'trading-engine', 'lease expired');
    await until('the loss', () => losses.length === 1);
    const kept = await pool.allocate(64);
    await stopAgent();
    await restartAgent();
    expect(rig.agent.framesOf('return')).toEqual([expect.objectContaining({ segment: kept.segment })]);
  });
});

describe('descriptors', () => {
  it.runIf(process.platform === 'linux')('are all closed in the end, whatever went wrong', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    openSync('/dev/null', 'r');
    expect(open(), 'the count sees a leak').toBe(before + 1);
    const atStart = open();

    const inner = new Rig();
    const one = await inner.client();
    const two = await inner.client('risk-engine');
    const pool = one.pool('trading', { segmentBytes });
    const block = await pool.allocate(64);
    await block.grant('risk-engine');
    await two.open(block.segment);
    inner.agent.announcedBytes = 2 ** 40;
    await expect(pool.allocate(segmentBytes)).rejects.toMatchObject({ code: 'protocol_violation' });
    inner.agent.announcedBytes = null;
    inner.agent.stop();
    inner.agent.start();
    const reconnects = (): number => one.stats().reconnects + two.stats().reconnects;
    await until('both are back', () => reconnects() === 2);
    // Unasked descriptors of an allowed frame, to both: they hang up and come back.
    const ended = new TextEncoder().encode(
      JSON.stringify({ type: 'ended', segment: 's-99999999', reason: 'x' }),
    );
    const payload = inner.agent.stored.get(block.segment)?.payload;
    if (payload === null || payload === undefined) throw new Error('the fake agent has no payload');
    inner.agent.sendRaw(ended, [payload, payload]);
    await until('both came back again', () => reconnects() === 4);
    await inner[Symbol.asyncDispose]();
    await until('the sockets are closed', () => open() <= atStart);
    expect(open()).toBe(atStart);
  });
});
