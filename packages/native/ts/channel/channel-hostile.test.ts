import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NativeError } from '../errors.ts';
import { codeOf } from '../testing/code-of.ts';
import {
  channelBytes,
  channelWord,
  cursorBytes,
  cursorWord,
  descriptionAt,
  placesOf,
  wordsOf,
  wordsPerEntry,
} from './layout.ts';
import { openSubscription } from './subscription.ts';
import { createCursor } from './subscription-types.ts';
import { mapTwice, Rig } from './testing/rig.ts';

const small = { entries: 4, frameBytes: 64, maxSubscribers: 2, maxHeld: 3, loans: 2 } as const;
const frames = 4 + 2 + 2 * 3;
const word = fc.oneof(fc.integer(), fc.integer({ min: -3, max: 20 }));

describe('a publisher with a subscriber that writes garbage', () => {
  for (const policy of ['drop-oldest', 'disconnect'] as const)
    it(`publishes on, under '${policy}', and the others get everything`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(cursorBytes / 4 - 1), word), { maxLength: 60 }), (writes) => {
          const rig = new Rig({ ...small, policy });
          const hostile = rig.join();
          const honest = rig.join().subscription;
          const words = wordsOf(hostile.cursor, cursorBytes);
          for (const [at, value] of writes) {
            words[at] = value;
            words[cursorWord.holds + (at % small.maxHeld)] = value;
            words[cursorWord.next] = value;
            words[cursorWord.sleep] = value;
            expect(rig.publish()).toBe(true);
            const message = honest.take();
            expect(message?.sequence === ((rig.sequence - 1) | 0) && rig.isIntact(message)).toBe(true);
            message?.release();
          }
          const { free, loaned, inRing, inLimbo } = rig.publisher.stats();
          expect(free + loaned + inRing + inLimbo).toBe(frames);
          expect(inLimbo).toBeLessThanOrEqual(small.maxHeld);
          rig.publisher.remove(hostile.slot);
          expect(rig.publisher.stats().inLimbo).toBe(0);
        }),
        { numRuns: 200 },
      );
    });

  it("takes a lie about what it took for a ring's time at most, under 'block'", () => {
    const rig = new Rig({ ...small, policy: 'block' });
    const words = wordsOf(rig.join().cursor, cursorBytes);
    for (let count = 0; count < 4; count += 1) rig.publish();
    words[cursorWord.next] = 1_000_000;
    expect(rig.publish()).toBe(true);
    words[cursorWord.next] = 0;
    const published = () => Array.from({ length: 10 }, () => rig.publish()).filter(Boolean).length;
    expect(published()).toBe(small.entries - 1);
  });

  it("waits for it under 'block', as for every slow one, no longer than blockTimeoutMs", async () => {
    const rig = new Rig({ ...small, policy: 'block', blockTimeoutMs: 10 });
    const words = wordsOf(rig.join().cursor, cursorBytes);
    for (const next of [-(2 ** 31), 0, 2 ** 31 - 1]) {
      words[cursorWord.next] = next;
      for (let count = 0; count < 20; count += 1) {
        const frame = rig.publisher.loan();
        if (frame === null) throw new Error('no frame');
        expect(await rig.publisher.publishWaiting(frame, 0)).toBe(true);
      }
    }
    expect(rig.publisher.stats().disconnected).toBe(1);
  });
});

describe('a subscriber of a publisher that writes garbage', () => {
  it('refuses headers that describe no channel, or one that is larger than its segment', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(12), word), { minLength: 1, maxLength: 4 }), (writes) => {
        const rig = new Rig(small);
        const { own, theirs } = mapTwice('cursor', cursorBytes);
        createCursor(own, { nonce: 5 });
        const { slot } = rig.publisher.admit({ nonce: 5, cursor: theirs, wake: null });
        const words = wordsOf(rig.channel, 64);
        for (const [at, value] of writes) words[at] = value;
        const open = () => openSubscription({ channel: rig.channelRead, cursor: own, slot, nonce: 5 });
        try {
          const { shape } = open();
          // What was let pass is a shape whose every frame lies in the segment.
          expect(placesOf(shape).bytes).toBeLessThanOrEqual(rig.channelRead.bytes);
          expect(channelBytes(shape)).toBe(placesOf(shape).bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(NativeError);
          expect(['invalid_argument', 'not_found']).toContain((error as NativeError).code);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('takes what lies in the segment, or says what is wrong, and always comes back', () => {
    const { entriesAt } = placesOf({ ...small, policy: 'drop-oldest', history: 0 });
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.integer({ min: channelWord.head, max: entriesAt + small.entries * wordsPerEntry - 1 }),
            word,
          ),
          {
            maxLength: 80,
          },
        ),
        (writes) => {
          const rig = new Rig(small);
          const { subscription } = rig.join();
          const words = wordsOf(rig.channel, rig.channel.bytes);
          for (const [at, value] of writes) {
            if (at % 3 === 0) rig.publish();
            words[at] = value;
            // The next entry, with anything in it.
            const next = (subscription.taken + subscription.dropped) | 0;
            const entryAt = entriesAt + (next & 3) * wordsPerEntry;
            if (at % 2 === 0) {
              words[entryAt] = next;
              words[descriptionAt(entryAt, next, small.entries)] = value;
            }
            try {
              const message = subscription.take();
              if (message === null) continue;
              expect(message.bytes.length).toBe(message.length);
              expect(message.length).toBeLessThanOrEqual(small.frameBytes);
              message.release();
            } catch (error) {
              expect((error as Error).message).toMatch(/its publisher wrote what no publisher writes/);
            }
            expect(subscription.held).toBe(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('names frames and lengths that are none', () => {
    const { entriesAt } = placesOf({ ...small, policy: 'drop-oldest', history: 0 });
    for (const [frame, length] of [
      [frames, 1],
      [-1, 1],
      [0, 65],
      [0, -1],
    ] as const) {
      const rig = new Rig(small);
      const { subscription } = rig.join();
      const words = wordsOf(rig.channel, rig.channel.bytes);
      rig.publish();
      words.set([0, frame, length], entriesAt);
      expect(codeOf(() => subscription.take())).toBe('invalid_argument');
      expect(() => subscription.take()).toThrow(`frame ${frame} of ${length} bytes`);
    }
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    wordsOf(rig.channel, rig.channel.bytes)[entriesAt] = 77;
    expect(() => subscription.take()).toThrow(/no sequence 0 in a ring that is 1 ahead/);
  });
});
