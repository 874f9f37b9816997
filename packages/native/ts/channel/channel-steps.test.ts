import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { cursorBytes, cursorWord, wordsOf } from './layout.ts';
import type { Message } from './message.ts';
import { interruptAt, killAt } from './testing/at-each-atomic.ts';
import { Rig } from './testing/rig.ts';
import { createWake } from './wake.ts';

vi.mock('./ordering.ts', () => import('./testing/atomic-ordering.ts'));

const small = { entries: 4, frameBytes: 64, maxSubscribers: 2, maxHeld: 3, loans: 2 } as const;
const frames = 4 + 2 + 2 * 3;

function sumOf(rig: Rig): number {
  const { free, loaned, inRing, inLimbo } = rig.publisher.stats();
  return free + loaned + inRing + inLimbo;
}

/** How many atomic accesses were interrupted until there was none more. */
function forEachAccess(body: (index: number) => boolean): number {
  for (let index = 0; ; index += 1) if (!body(index)) return index;
}

describe('between any two accesses of a take', () => {
  for (const ahead of [0, 1, 3, 4, 7])
    for (const meanwhile of [1, 3, 4, 5, 9, 40])
      it(`a publisher that is ${ahead} ahead publishes ${meanwhile} more, and nothing torn is taken`, () => {
        const accesses = forEachAccess((index) => {
          const rig = new Rig({ ...small, firstSequence: 2 ** 31 - 6 });
          const { subscription, startSequence } = rig.join();
          const publish = (count: number) => {
            for (let at = 0; at < count; at += 1) rig.publish();
          };
          publish(ahead);
          let message: Message | null = null;
          const was = interruptAt(
            index,
            () => publish(meanwhile),
            () => {
              message = subscription.take();
            },
          );
          // The same frames again and again: what is held must not be among them.
          publish(20);
          const taken = message as Message | null;
          if (taken !== null) {
            expect(taken.sequence).toBe((startSequence + subscription.dropped) | 0);
            expect(rig.isIntact(taken)).toBe(true);
            taken.release();
          }
          let next = (startSequence + subscription.taken + subscription.dropped) | 0;
          const lostBefore = subscription.dropped;
          for (let rest = subscription.take(); rest !== null; rest = subscription.take()) {
            if (rest.sequence !== next) expect(subscription.dropped).toBeGreaterThan(lostBefore);
            expect(rig.isIntact(rest)).toBe(true);
            next = (rest.sequence + 1) | 0;
            rest.release();
          }
          expect(next).toBe(rig.sequence);
          expect((startSequence + subscription.taken + subscription.dropped) | 0).toBe(rig.sequence);
          expect(rig.publisher.stats().inLimbo).toBe(0);
          expect(sumOf(rig)).toBe(frames);
          return was;
        });
        expect(accesses).toBeGreaterThanOrEqual(3);
      });
});

describe('between any two accesses of a publish', () => {
  for (const [policy, before] of [
    ['drop-oldest', 4],
    ['disconnect', 4],
    ['block', 4],
    ['block', 3],
  ] as const)
    it(`${before} ahead under '${policy}', a subscriber takes what is there`, () => {
      const accesses = forEachAccess((index) => {
        const rig = new Rig({ ...small, policy });
        const { subscription } = rig.join();
        const held: Message[] = [];
        const takeAll = () => {
          while (held.length < 3) {
            const message = subscription.take();
            if (message === null) return;
            held.push(message);
          }
        };
        for (let count = 0; count < before; count += 1) rig.publish();
        const was = interruptAt(index, takeAll, () => {
          rig.publish();
        });
        for (let count = 0; count < 20; count += 1) rig.publish();
        for (const message of held) expect(rig.isIntact(message)).toBe(true);
        held.reduce((before, { sequence }) => {
          expect(sequence).toBeGreaterThan(before);
          return sequence;
        }, -1);
        for (const message of held) message.release();
        expect(sumOf(rig)).toBe(frames);
        expect(rig.publisher.stats().inLimbo).toBe(0);
        return was;
      });
      // Under 'block' a full ring ends it early.
      expect(accesses).toBeGreaterThanOrEqual(policy === 'block' && before === 4 ? 3 : 4);
    });
});

describe('between any two accesses of falling asleep', () => {
  it('a publish, a close, a removal wakes', async () => {
    const acts = [(rig: Rig) => rig.publish(), (rig: Rig) => rig.publisher.close()];
    for (const act of [...acts, (rig: Rig) => rig.publisher.remove(0)]) {
      let index = 0;
      for (let was = true; was; index += 1) {
        using wake = createWake();
        const rig = new Rig(small);
        const { subscription } = rig.join(wake);
        let waiting: Promise<boolean> | null = null;
        was = interruptAt(
          index,
          () => act(rig),
          () => {
            waiting = subscription.wait();
          },
        );
        if (!was) act(rig);
        const slept = delay(5000).then(() => 'still asleep');
        expect(await Promise.race([waiting, slept])).not.toBe('still asleep');
        expect(subscription.take() !== null || subscription.ended !== null).toBe(true);
      }
      expect(index).toBeGreaterThan(8);
    }
  }, 60_000);
});

describe('a take that lost its race', () => {
  it('holds nothing', () => {
    forEachAccess((index) => {
      const rig = new Rig({ ...small, policy: 'disconnect' });
      const { subscription, cursor } = rig.join();
      for (let count = 0; count < 4; count += 1) rig.publish();
      const overwrite = () => {
        for (let count = 0; count < 5; count += 1) rig.publish();
      };
      let message: Message | null = null;
      const was = interruptAt(index, overwrite, () => {
        message = subscription.take();
      });
      const holds = wordsOf(cursor, cursorBytes).subarray(cursorWord.holds, cursorWord.holds + small.maxHeld);
      expect(holds.filter((hold) => hold !== 0)).toHaveLength(message === null ? 0 : 1);
      expect(subscription.held).toBe(message === null ? 0 : 1);
      return was;
    });
  });
});

describe('death at any instruction', () => {
  it('of a subscriber, in a take, a release or a leave: no frame is lost once it is removed, nobody waits', () => {
    for (const act of ['take', 'release', 'leave'] as const) {
      const accesses = forEachAccess((index) => {
        const rig = new Rig(small);
        const victim = rig.join();
        const other = rig.join().subscription;
        rig.publish();
        rig.publish();
        const held = victim.subscription.take();
        const was = killAt(index, () => {
          if (act === 'take') victim.subscription.take();
          else if (act === 'release') held?.release();
          else victim.subscription.leave();
        });
        // Before anybody knows of it: at most its holds are missing.
        for (let count = 0; count < 50; count += 1) expect(rig.publish()).toBe(true);
        expect(rig.publisher.stats().inLimbo).toBeLessThanOrEqual(small.maxHeld);
        rig.publisher.remove(victim.slot);
        expect(rig.publisher.stats().inLimbo).toBe(0);
        expect(sumOf(rig)).toBe(frames);
        const message = other.take();
        expect(message !== null && rig.isIntact(message)).toBe(true);
        return was;
      });
      expect(accesses).toBeGreaterThanOrEqual(1);
    }
  });

  it("of a subscriber under 'block': the publisher goes on once it is removed", () => {
    forEachAccess((index) => {
      const rig = new Rig({ ...small, policy: 'block' });
      const victim = rig.join();
      for (let count = 0; count < 4; count += 1) rig.publish();
      const was = killAt(index, () => victim.subscription.take());
      // Perhaps there is room for one, never for two.
      rig.publish();
      expect(rig.publish()).toBe(false);
      rig.publisher.remove(victim.slot);
      expect(rig.publish()).toBe(true);
      expect(sumOf(rig)).toBe(frames);
      return was;
    });
  });

  it('of the publisher, in a publish: what it published can be taken, nothing else, and no subscriber hangs', () => {
    for (const before of [0, 2, 4, 9]) {
      const accesses = forEachAccess((index) => {
        const rig = new Rig(small);
        const { subscription } = rig.join();
        for (let count = 0; count < before; count += 1) rig.publish();
        const was = killAt(index, () => {
          rig.publish();
        });
        subscription.finish('publisher died');
        let last = -1;
        for (let message = subscription.take(); message !== null; message = subscription.take()) {
          expect(rig.isIntact(message)).toBe(true);
          expect(message.sequence).toBeGreaterThan(last);
          last = message.sequence;
          message.release();
        }
        expect([before - 1, before]).toContain(last);
        expect(subscription.ended).toBe('publisher died');
        return was;
      });
      expect(accesses).toBeGreaterThanOrEqual(4);
    }
  });
});
