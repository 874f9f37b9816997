import { describe, expect, it } from 'vitest';
import { CopiedSubscription } from './copied-subscription.ts';

const stream = 's-00000001';
const subscription = (frameBytes: number) =>
  new CopiedSubscription({
    channel: 'quotes',
    from: 'market-data',
    reason: 'by the test',
    stream,
    startSequence: 0,
    frameBytes,
    codec: null,
    onTaken: () => undefined,
    close: async () => undefined,
  });
const whole = (sequence: number, length: number) => ({ stream, sequence, part: 0, parts: 1, length });

describe('a copied subscription', () => {
  it('counts at the end what was lost before it', () => {
    const copied = subscription(8);
    copied.arrive(whole(0, 1), new Uint8Array(1));
    copied.arrive({ stream, sequence: 5, part: 0, parts: 0, length: 0 }, new Uint8Array());
    expect(copied.take()?.sequence).toBe(0);
    expect([copied.dropped, copied.endReason]).toEqual([4, 'closed']);
  });

  it('keeps a frame that is longer than all that may wait', () => {
    const length = 2 ** 26 + 1;
    const copied = subscription(length);
    const bytes = new Uint8Array(length);
    copied.arrive(whole(0, length), bytes);
    copied.arrive(whole(1, length), bytes);
    expect(copied.take()?.sequence).toBe(1);
    expect([copied.take(), copied.dropped]).toEqual([null, 1]);
  });
});
