import { describe, expect, it, vi } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { cursorBytes, cursorWord, wordsOf } from './layout.ts';
import type { Message } from './message.ts';
import { interruptAt } from './testing/at-each-atomic.ts';
import { Rig } from './testing/rig.ts';

vi.mock('./ordering.ts', () => import('./testing/atomic-ordering.ts'));

const small = { entries: 4, frameBytes: 64, maxSubscribers: 2, maxHeld: 2 } as const;

describe('the end of a subscription', () => {
  it('sees that nothing is there, and the end, also with maxHeld messages held', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    rig.publish();
    subscription.take();
    subscription.take();
    expect(subscription.take()).toBeNull();
    rig.publisher.close();
    expect(subscription.take()).toBeNull();
    expect(subscription.ended).toBe('closed');
  });

  it('takes nothing once its slot was removed, however much there is and whoever has the slot', () => {
    for (const isSlotTaken of [false, true]) {
      const rig = new Rig(small);
      const { subscription, slot } = rig.join();
      rig.publish();
      rig.publish();
      const held = subscription.take();
      rig.publisher.remove(slot);
      if (isSlotTaken) expect(rig.join().slot).toBe(slot);
      expect(subscription.take()).toBeNull();
      expect(subscription.ended).toBe('removed');
      expect(subscription.held).toBe(0);
      expect(held?.isHeld).toBe(false);
      expect(codeOf(() => held?.bytes)).toBe('closed');
      held?.release();
    }
  });

  it('ends a removed one that holds maxHeld messages', () => {
    const rig = new Rig(small);
    const { subscription, slot } = rig.join();
    for (let count = 0; count < 3; count += 1) rig.publish();
    subscription.take();
    subscription.take();
    rig.publisher.remove(slot);
    expect(subscription.take()).toBeNull();
    expect(subscription.ended).toBe('removed');
  });

  it('holds no frame when the removal comes at any moment of a take', () => {
    let wasRemoved = 0;
    for (let index = 0; ; index += 1) {
      const rig = new Rig(small);
      const { subscription, slot, cursor } = rig.join();
      rig.publish();
      const remove = () => rig.publisher.remove(slot);
      let message: Message | null = null;
      const take = () => {
        message = subscription.take();
      };
      if (!interruptAt(index, remove, take)) break;
      const holds = () => [0, 1].map((hold) => wordsOf(cursor, cursorBytes)[cursorWord.holds + hold]);
      if (message === null) {
        wasRemoved += 1;
        expect(subscription.ended).toBe('removed');
        expect(holds()).toEqual([0, 0]);
      }
      rig.publish();
      expect(subscription.take()).toBeNull();
      expect((message as Message | null)?.isHeld ?? false).toBe(false);
    }
    // Before the look at the entry, before the hold, before the second look, before the look at the admission.
    expect(wasRemoved).toBeGreaterThanOrEqual(4);
  });

  it('drains the ring after a finish, and ends below a publisher that goes on', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    rig.publish();
    rig.publish();
    subscription.finish('gone');
    const taken: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      const message = subscription.take();
      if (message === null) break;
      taken.push(message.sequence);
      message.release();
      rig.publish();
    }
    expect(taken).toEqual([0, 1, 2]);
    expect(subscription.ended).toBe('gone');
  });
});
