import { openSegment } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Block } from './block.ts';
import type { NautilusClient } from './client.ts';
import type { ReadonlyBytes } from './read-only-bytes.ts';
import { refusal } from './testing/fake-bus.ts';
import { Rig, segmentBytes, until } from './testing/rig.ts';

let rig: Rig;
let owner: NautilusClient;
let reader: NautilusClient;
let block: Block;
beforeEach(async () => {
  rig = new Rig();
  owner = await rig.client('trading-engine');
  reader = await rig.client('risk-engine');
  block = await owner.pool('trading', { segmentBytes }).allocate(256);
  block.view().set([1, 2, 3]);
});
afterEach(() => rig[Symbol.asyncDispose]());

const isReading = (): boolean => rig.agent.stored.get(block.segment)?.readers.has('risk-engine') === true;

describe('a granted segment', () => {
  it("shows the owner's bytes in place, and what is written later", async () => {
    await block.grant('risk-engine');
    await using segment = await reader.open(block.segment);
    expect(segment).toMatchObject({ segment: block.segment, owner: 'trading-engine', bytes: segmentBytes });
    expect(segment).toMatchObject({ copied: false, ended: false });
    const bytes: ReadonlyBytes = segment.view(block.offset, 3);
    expect([...bytes]).toEqual([1, 2, 3]);
    block.view()[1] = 99;
    expect(bytes[1]).toBe(99);
    expect(reader.stats()).toMatchObject({ segmentsOpen: 1, segmentsHeld: 0, bytesShared: segmentBytes });
    expect(owner.stats()).toMatchObject({ segmentsOpen: 0, segmentsHeld: 1 });
  });

  it('has no way to write in its type', () => {
    const bytes: ReadonlyBytes = new Uint8Array(2);
    // @ts-expect-error an element is read-only
    bytes[0] = 1;
    type Absent<K extends string> = K extends keyof ReadonlyBytes ? never : K;
    const absent: Absent<'set' | 'fill' | 'sort' | 'reverse' | 'copyWithin'>[] = [
      'set',
      'fill',
      'sort',
      'reverse',
      'copyWithin',
    ];
    expect(absent).toHaveLength(5);
    const part: ReadonlyBytes = bytes.subarray(1);
    expect(part.length).toBe(1);
  });

  it('is refused without a grant, and for the owner itself', async () => {
    await expect(reader.open(block.segment)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(owner.open(block.segment)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(owner.stats()).toMatchObject({ segmentsHeld: 1, segmentsOpen: 0 });
  });

  it('refuses views beyond its end', async () => {
    await block.grant('risk-engine');
    await using segment = await reader.open(block.segment);
    expect(segment.view(segmentBytes - 1, 1)).toHaveLength(1);
    expect(() => segment.view(segmentBytes, 1)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => segment.view(-1, 1)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('ends where the segment ends, though its last page goes on', async () => {
    const odd = await owner.pool('risk', { segmentBytes: 5000 }).allocate(64);
    await odd.grant('risk-engine');
    await using segment = await reader.open(odd.segment);
    expect(segment.bytes).toBe(5000);
    expect(segment.view(4999, 1)).toHaveLength(1);
    expect(() => segment.view(4999, 2)).toThrow(/has 5000 bytes; 2 from 4999 on end at 5001/);
  });

  it('is mapped once for all who open it, until the last one closes', async () => {
    await block.grant('risk-engine');
    const [one, two] = await Promise.all([reader.open(block.segment), reader.open(block.segment)]);
    const three = await reader.open(block.segment);
    expect(rig.agent.framesOf('redeem')).toHaveLength(2);
    await one.close();
    await two.close();
    expect(() => one.view(0, 1)).toThrow(/is closed/);
    expect(three.view(0, 1)[0]).toBe(1);
    expect(isReading()).toBe(true);
    await three.close();
    await three.close();
    expect(rig.agent.framesOf('closed')).toHaveLength(1);
    expect(isReading()).toBe(false);
    expect(reader.stats().segmentsOpen).toBe(0);
  });

  it('closes when the grant is taken back, after telling', async () => {
    const pool = owner.pool('trading');
    await pool.grant(block, 'risk-engine');
    const segment = await reader.open(block.segment);
    const view = segment.view(0, 3);
    const told: string[] = [];
    segment.onEnd(() => {
      throw new Error('a bad callback');
    });
    segment.onEnd((reason) => told.push(`${reason}, still ${view[2]}`));
    await pool.revoke(block.segment, 'risk-engine');
    await until('the end', () => segment.ended);
    expect(told).toEqual(['grant revoked, still 3']);
    expect(segment.closed).toBe(true);
    await until('the agent knows', () => !isReading());
    expect(view).toHaveLength(0);
    expect(() => segment.view(0, 1)).toThrow(/is closed/);
    expect(rig.log).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringMatching(/onEnd/) }),
    );
    const late = await new Promise((resolve) => segment.onEnd(resolve));
    expect(late).toBe('grant revoked');
  });

  it('stays mapped after the end when that was asked for', async () => {
    await block.grant('risk-engine');
    const kept = await reader.open(block.segment, { keepAfterEnd: true });
    const other = await reader.open(block.segment);
    rig.agent.end(block.segment, 'risk-engine', 'owner gone');
    await until('the end', () => kept.ended && other.ended);
    expect(other.closed).toBe(true);
    expect(kept.view(0, 1)[0]).toBe(1);
    expect(isReading()).toBe(true);

    const again = await reader.open(block.segment);
    expect(again.ended).toBe(false);
    await again.close();
    expect(isReading()).toBe(true);
    await kept.close();
    expect(isReading()).toBe(false);
  });

  it('asks once for a fresh ticket when the first is too old', async () => {
    await block.grant('risk-engine');
    rig.agent.staleTickets = 1;
    await using segment = await reader.open(block.segment);
    expect(segment.view(0, 1)[0]).toBe(1);
    rig.agent.staleTickets = 2;
    await segment.close();
    await expect(reader.open(block.segment)).rejects.toMatchObject({ code: 'ticket_expired' });
  });

  it('can be cancelled while it is opened, and leaves nothing mapped', async () => {
    await block.grant('risk-engine');
    rig.agent.ignore.add('redeem');
    const abort = new AbortController();
    const opening = reader.open(block.segment, { signal: abort.signal });
    await until('the ticket is redeemed', () => rig.agent.framesOf('redeem').length === 2);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(reader.stats().segmentsOpen).toBe(0);
  });

  it('waits for an agent that is away, and gives up in the end', async () => {
    let refusals = 2;
    const impatient = await rig.client('risk-engine', { requestTimeoutMs: 30 });
    rig.bus.answer(openSegment, () => {
      refusals -= 1;
      throw refusals > 0 ? refusal('unavailable') : refusal('unknown_segment');
    });
    await expect(impatient.open(block.segment)).rejects.toMatchObject({ code: 'unknown_segment' });
    refusals = Number.POSITIVE_INFINITY;
    await expect(impatient.open(block.segment)).rejects.toThrow(/gave up after \d+ attempts in \d+ ms/);
  });
});
