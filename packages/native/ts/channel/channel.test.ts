import { describe, expect, it } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { channelBytes, cursorBytes } from './layout.ts';
import { createChannel } from './publisher.ts';
import { openSubscription } from './subscription.ts';
import { createCursor } from './subscription-types.ts';
import { mapTwice, Rig } from './testing/rig.ts';

const small = { entries: 4, frameBytes: 64, maxSubscribers: 2, maxHeld: 2 } as const;

describe('a channel', () => {
  it('hands a frame over in place, to everyone, in order', () => {
    const rig = new Rig(small);
    const [one, two] = [rig.join().subscription, rig.join().subscription];
    expect(one.take()).toBeNull();
    const frame = rig.publisher.loan();
    if (frame === null) throw new Error('no frame');
    frame.bytes.set([1, 2, 3]);
    rig.publisher.publish(frame, 3);
    const message = one.take();
    expect(message).toMatchObject({ sequence: 0, length: 3, isHeld: true });
    expect([...(message?.bytes ?? [])]).toEqual([1, 2, 3]);
    // The same memory: what the publisher writes against the rules is seen.
    frame.bytes[1] = 9;
    expect(message?.bytes[1]).toBe(9);
    expect([...(two.take()?.bytes ?? [])]).toEqual([1, 9, 3]);
    expect(one.take()).toBeNull();
  });

  it('refuses a message after its release, also when its frame and its hold serve another', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    const first = subscription.take();
    first?.release();
    expect(codeOf(() => first?.bytes)).toBe('closed');
    rig.publish();
    const second = subscription.take();
    expect(codeOf(() => first?.release())).toBe('closed');
    expect(second?.isHeld).toBe(true);
    expect(subscription.held).toBe(1);
    first?.[Symbol.dispose]();
    second?.[Symbol.dispose]();
    expect(subscription.held).toBe(0);
  });

  it('refuses a frame that was published, given back, or is of another publisher', () => {
    const rig = new Rig(small);
    const frame = rig.publisher.loan();
    const other = new Rig(small).publisher.loan();
    if (frame === null || other === null) throw new Error('no frame');
    expect(codeOf(() => rig.publisher.publish(other, 0))).toBe('invalid_argument');
    for (const length of [-1, 65, 0.5, Number.NaN])
      expect(codeOf(() => rig.publisher.publish(frame, length))).toBe('invalid_argument');
    rig.publisher.publish(frame, 64);
    expect(codeOf(() => rig.publisher.publish(frame, 64))).toBe('closed');
    expect(codeOf(() => rig.publisher.discard(frame))).toBe('closed');
  });

  it('loans as many frames as it promised, and gets back what is discarded', () => {
    const rig = new Rig({ ...small, loans: 2 });
    const [one] = [rig.publisher.loan(), rig.publisher.loan()];
    expect(rig.publisher.loan()).toBeNull();
    if (one !== null && one !== undefined) rig.publisher.discard(one);
    expect(rig.publisher.stats()).toMatchObject({ loaned: 1, inRing: 0, inLimbo: 0 });
    expect(rig.publisher.loan()).not.toBeNull();
  });

  it('names maxHeld when a subscriber would hold too much, and goes on after a release', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    for (let count = 0; count < 3; count += 1) rig.publish();
    const first = subscription.take();
    subscription.take();
    expect(() => subscription.take()).toThrow(/all 2 messages .* \(maxHeld\)/);
    first?.release();
    expect(subscription.take()?.sequence).toBe(2);
  });

  it('gives a newcomer the history, and nothing that is gone', () => {
    const rig = new Rig({ ...small, history: 3 });
    expect(rig.join().startSequence).toBe(0);
    rig.publish();
    rig.publish();
    const early = rig.join();
    expect(early.startSequence).toBe(0);
    rig.publisher.remove(early.slot);
    for (let count = 0; count < 9; count += 1) rig.publish();
    expect(rig.join()).toMatchObject({ startSequence: 8 });
  });

  it('lets in as many as it promised, each with its own cursor, and a newcomer where one was removed', () => {
    const rig = new Rig(small);
    const [first] = [rig.join(), rig.join()];
    expect(() => rig.join()).toThrow(/all 2 places are taken/);
    first?.subscription.leave();
    expect(rig.publisher.remove(0)).toBe(true);
    expect(rig.publisher.remove(0)).toBe(false);
    expect(rig.join().slot).toBe(0);
    expect(first?.subscription.take()).toBeNull();
    expect(first?.subscription.ended).toBe('left');
  });

  it('refuses cursors and slots that are not those of the nonce', () => {
    const rig = new Rig(small);
    const { own, theirs } = mapTwice('cursor', cursorBytes);
    createCursor(own, { nonce: 7 });
    for (const nonce of [0, 8, 1.5, 2 ** 31])
      expect(codeOf(() => rig.publisher.admit({ nonce, cursor: theirs, wake: null }))).toBe(
        'invalid_argument',
      );
    expect(codeOf(() => createCursor(theirs, { nonce: 7 }))).toBe('invalid_argument');
    const open = (slot: number) =>
      openSubscription({ channel: rig.channelRead, cursor: own, slot, nonce: 7 });
    expect(codeOf(() => open(0))).toBe('not_found');
    expect(rig.publisher.admit({ nonce: 7, cursor: theirs, wake: null }).slot).toBe(0);
    expect(codeOf(() => open(1))).toBe('not_found');
    for (const slot of [-1, 2, 0.5]) expect(codeOf(() => open(slot))).toBe('invalid_argument');
    expect(open(0).take()).toBeNull();
  });

  it('refuses shapes that are none, and segments that are too small', () => {
    for (const wrong of [
      { entries: 3 },
      { entries: 1 },
      { frameBytes: 0 },
      { frameBytes: 2 ** 31 },
      { loans: 0 },
      { maxSubscribers: 65 },
      { maxHeld: 257 },
      { history: 5 },
      { policy: 'wait' as 'block' },
    ])
      expect(codeOf(() => channelBytes({ ...small, ...wrong }))).toBe('invalid_argument');
    const { own, theirs } = mapTwice('small', 4096);
    expect(codeOf(() => createChannel(own, { ...small, entries: 1024 }))).toBe('invalid_argument');
    expect(codeOf(() => createChannel(theirs, small))).toBe('invalid_argument');
  });

  it('ends in order: what is in the ring first, then the reason', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    rig.publisher.close();
    expect(codeOf(() => rig.publisher.loan())).toBe('closed');
    subscription.take()?.release();
    expect(subscription.ended).toBeNull();
    expect(subscription.take()).toBeNull();
    expect(subscription.ended).toBe('closed');
  });

  it('ends with the reason that it is given when the publisher died, and not before the ring is empty', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    subscription.finish('publisher died');
    expect(subscription.take()?.sequence).toBe(0);
    expect(subscription.take()).toBeNull();
    expect(subscription.ended).toBe('publisher died');
  });
});

describe("the policy 'drop-oldest'", () => {
  it('overwrites, and the subscriber counts what it lost', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    for (let count = 0; count < 11; count += 1) rig.publish();
    expect(subscription.take()?.sequence).toBe(7);
    expect(subscription.dropped).toBe(7);
  });

  it('never starves the publisher of frames, whatever is held by everyone', () => {
    const rig = new Rig({ ...small, loans: 1 });
    const joined = [rig.join(), rig.join()];
    const held = joined.flatMap(({ subscription }) => {
      for (let message = subscription.take(); message !== null; message = subscription.take())
        message.release();
      rig.publish();
      rig.publish();
      return [subscription.take(), subscription.take()];
    });
    for (let count = 0; count < 100; count += 1) rig.publish();
    expect(held.every((message) => message !== null && rig.isIntact(message))).toBe(true);
    expect(rig.publisher.stats()).toMatchObject({ free: 1, inRing: 4, inLimbo: 4 });
    for (const { slot } of joined) rig.publisher.remove(slot);
    expect(rig.publisher.stats()).toMatchObject({ free: 5, inRing: 4, inLimbo: 0 });
  });
});

describe("the policy 'block'", () => {
  const block = { ...small, policy: 'block' } as const;

  it('publishes no more until the oldest is taken, by those who opened their subscription and those who did not yet', () => {
    const rig = new Rig(block);
    const { subscription, slot } = rig.join();
    const { own, theirs } = mapTwice('cursor', cursorBytes);
    createCursor(own, { nonce: 99 });
    const late = rig.publisher.admit({ nonce: 99, cursor: theirs, wake: null });
    for (let count = 0; count < 4; count += 1) expect(rig.publish()).toBe(true);
    expect(rig.publish()).toBe(false);
    subscription.take()?.release();
    expect(rig.publish()).toBe(false);
    const opened = openSubscription({ channel: rig.channelRead, cursor: own, slot: late.slot, nonce: 99 });
    expect(rig.publish()).toBe(false);
    const held = opened.take();
    expect(rig.publish()).toBe(true);
    expect(held !== null && rig.isIntact(held)).toBe(true);
    expect(rig.publish()).toBe(false);
    const frame = rig.publisher.loan();
    if (frame !== null) expect(codeOf(() => rig.publisher.publish(frame, 0))).toBe('backpressure');
    opened.leave();
    rig.publisher.remove(slot);
    expect(rig.publish()).toBe(true);
  });

  it('waits for room, and goes on when a subscriber takes, leaves, or is removed', async () => {
    const rig = new Rig({ ...block, loans: 8 });
    const [one, two] = [rig.join(), rig.join()];
    for (let count = 0; count < 4; count += 1) rig.publish();
    const waiting = () => {
      const frame = rig.publisher.loan();
      if (frame === null) throw new Error('no frame');
      return rig.publisher.publishWaiting(frame, 0);
    };
    let published = waiting();
    one.subscription.take()?.release();
    expect(rig.publish()).toBe(false);
    two.subscription.take()?.release();
    expect(await published).toBe(true);
    published = waiting();
    one.subscription.leave();
    two.subscription.take()?.release();
    expect(await published).toBe(true);
    published = waiting();
    rig.publisher.remove(two.slot);
    expect(await published).toBe(true);
  });

  it('gives up when told to, and keeps the loan', async () => {
    const rig = new Rig(block);
    rig.join();
    for (let count = 0; count < 4; count += 1) rig.publish();
    const frame = rig.publisher.loan();
    if (frame === null) throw new Error('no frame');
    expect(await rig.publisher.publishWaiting(frame, 0, { signal: AbortSignal.timeout(20) })).toBe(false);
    expect(frame.isLoaned).toBe(true);
  });

  it('disconnects who keeps it longer than blockTimeoutMs, and respects what that one holds', async () => {
    const rig = new Rig({ ...block, blockTimeoutMs: 20 });
    const { subscription, slot } = rig.join();
    rig.publish();
    const held = subscription.take();
    for (let count = 0; count < 4; count += 1) rig.publish();
    const frame = rig.publisher.loan();
    if (frame === null) throw new Error('no frame');
    expect(await rig.publisher.publishWaiting(frame, 0)).toBe(true);
    rig.sequence += 1;
    for (let count = 0; count < 20; count += 1) expect(rig.publish()).toBe(true);
    expect(subscription.take()).toBeNull();
    expect(subscription.ended).toBe('disconnected');
    expect(held !== null && rig.isIntact(held)).toBe(true);
    expect(rig.publisher.stats()).toMatchObject({ disconnected: 1, inLimbo: 1 });
    held?.release();
    subscription.leave();
    rig.publisher.remove(slot);
    expect(rig.publisher.stats()).toMatchObject({ subscribers: 0, inLimbo: 0 });
  });
});

describe("the policy 'disconnect'", () => {
  it('ends the subscription that would lose something, and no other', () => {
    const rig = new Rig({ ...small, policy: 'disconnect' });
    const [slow, fast] = [rig.join(), rig.join()];
    for (let count = 0; count < 5; count += 1) {
      rig.publish();
      fast.subscription.take()?.release();
    }
    expect(slow.subscription.take()).toBeNull();
    expect(slow.subscription.ended).toBe('disconnected');
    expect(fast.subscription).toMatchObject({ ended: null, taken: 5, dropped: 0 });
    expect(rig.publisher.stats()).toMatchObject({ disconnected: 1, subscribers: 2 });
  });
});
