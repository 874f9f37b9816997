import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NautilusClient } from './client.ts';
import type { Pool } from './pool.ts';
import { Rig, segmentBytes, until } from './testing/rig.ts';

let rig: Rig;
let client: NautilusClient;
let pool: Pool;
beforeEach(async () => {
  rig = new Rig();
  client = await rig.client('trading-engine', { timing: { socketTimeoutMs: 150 }, requestTimeoutMs: 60 });
  pool = client.pool('trading', { segmentBytes });
});
afterEach(() => rig[Symbol.asyncDispose]());

const frame = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const fault = { code: 'internal', message: 'x' };

describe('a peer that breaks the protocol', () => {
  it.each([
    ['bytes that are no text', new Uint8Array([0xff, 0xfe]), /2 bytes that are not JSON/],
    ['text that is no JSON', new TextEncoder().encode('hello'), /5 bytes that are not JSON/],
    ['an unknown frame', frame({ type: 'gift', id: 1 }), /sent what is not the protocol: type/],
    ['a field of the wrong type', frame({ type: 'done', id: 'one' }), /sent what is not the protocol: id/],
    ['the wrong answer', frame({ type: 'done', id: 1 }), /"done" as the answer to redeem/],
    [
      'an answer to nobody',
      frame({ type: 'done', id: 77 }),
      /an answer to request 77, which was never asked/,
    ],
    ['an error about no request', frame({ type: 'error', id: null, fault }), /did not understand a frame: x/],
    [
      'a segment without descriptors',
      frame({
        type: 'segment',
        id: 1,
        segment: 's-00000001',
        pool: 'trading',
        owner: 'trading-engine',
        access: 'read-write',
        strategy: 'first_fit',
        bytes: 65536,
        alignmentBytes: 64,
        secret: 'secret-secret-secret',
      }),
      /"segment" with 0 descriptors instead of 2/,
    ],
  ])('%s: the request says so, the socket is closed, the lease given back', async (_, bytes, message) => {
    rig.agent.garbage.set('redeem', bytes);
    await expect(pool.allocate(64)).rejects.toMatchObject({
      code: 'protocol_violation',
      message: expect.stringMatching(message),
    });
    expect(client.connected.agent).toBe(false);
    expect(rig.agent.stored.size).toBe(0);
    expect((await pool.allocate(64)).length).toBe(64);
  });

  it('closes a descriptor that nobody asked for, and hangs up', async () => {
    const block = await pool.allocate(64);
    const stored = rig.agent.stored.get(block.segment);
    if (stored?.payload === null || stored === undefined) throw new Error('the fake agent has no payload');
    rig.agent.sendRaw(frame({ type: 'ended', segment: 's-99999999', reason: 'x' }), [stored.payload]);
    await until('it hangs up', () =>
      rig.log.some((line) => JSON.stringify(line).includes('with 1 descriptors')),
    );
    await until('it is back', () => client.connected.agent);
    expect(client.stats().reconnects).toBe(1);
  });

  it('refuses a segment other than the one of the ticket', async () => {
    const first = await pool.allocate(segmentBytes);
    const stored = rig.agent.stored.get(first.segment);
    if (stored === undefined) throw new Error('the fake agent forgot the segment');
    rig.agent.strategy = 'worst_fit';
    await expect(pool.allocate(segmentBytes)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/strategy "worst_fit"; this build has slab, buddy, first_fit/),
    });
    expect(rig.agent.stored.size).toBe(1);
  });
});

describe('an agent that does not answer', () => {
  it('is a timeout, and its late answer is no violation', async () => {
    rig.agent.ignore.add('redeem');
    const waiting = pool.allocate(64);
    await expect(waiting).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/redeem on the agent's socket: no answer in 150 ms/),
    });
    rig.agent.sendRaw(frame({ type: 'done', id: 1 }));
    rig.agent.ignore.clear();
    expect((await pool.allocate(64)).length).toBe(64);
    expect(client.connected.agent).toBe(true);
    expect(rig.agent.connections).toBe(1);
  });

  it('hands its refusals on, known code or not', async () => {
    rig.agent.refuse.set('redeem', 'ticket_foreign');
    await expect(pool.allocate(64)).rejects.toMatchObject({ code: 'ticket_foreign' });
    rig.agent.refuse.set('redeem', 'from_the_future' as 'internal');
    await expect(pool.allocate(64)).rejects.toMatchObject({
      code: 'internal',
      details: { code: 'from_the_future' },
    });
    expect(rig.agent.stored.size).toBe(0);
  });

  it('asks once for a fresh ticket when its own is unknown', async () => {
    rig.agent.staleTickets = 1;
    expect((await pool.allocate(64)).length).toBe(64);
    expect(rig.bus.asked.filter((subject) => subject.endsWith('.segment.open'))).toHaveLength(1);
    expect(rig.bus.asked.filter((subject) => subject.endsWith('.segment.lease'))).toHaveLength(1);
    rig.agent.refuse.set('redeem', 'ticket_unknown');
    await expect(pool.allocate(segmentBytes)).rejects.toMatchObject({ code: 'ticket_unknown' });
    expect(rig.bus.asked.filter((subject) => subject.endsWith('.segment.open'))).toHaveLength(2);
  });
});
