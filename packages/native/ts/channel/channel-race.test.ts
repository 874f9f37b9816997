// Two processes at full speed on the smallest ring. What is played step by step elsewhere says nothing of the order in
// which a core sees what another one wrote: a hold that is announced without a fence passes there, and is found here.

import { describe, expect, it } from 'vitest';
import { admit, joinInPeer, newChannel, startPeer } from './testing/processes.ts';

const frameBytes = 64;
/** Two seconds' worth; without the fence hundreds of them are torn on x86. */
const frames = 20_000_000;
/** The peer must have raced and not just watched. */
const leastTaken = 10_000;

/** Each frame is words that all are its sequence, and as long as that says. Some are held while others come. */
const raceInPeer = `
  ${joinInPeer}
  const views = new Map();
  const wordsOf = (bytes) => {
    let words = views.get(bytes);
    if (words === undefined) {
      words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      if (views.size === 1000) views.clear();
      views.set(bytes, words);
    }
    return words;
  };
  const isWhole = ({ bytes, sequence, length }) => {
    if (length !== 4 * (1 + (sequence & 7))) return false;
    const words = wordsOf(bytes);
    for (let at = 0; at < words.length; at += 1) if (words[at] !== sequence) return false;
    return true;
  };
  let [taken, torn, misplaced, last, held] = [0, 0, 0, -1, null];
  post.send({ ready: 1 });
  while (subscription.ended === null) {
    const message = subscription.take();
    if (message === null) continue;
    taken += 1;
    if (message.sequence <= last) misplaced += 1;
    last = message.sequence;
    if (!isWhole(message)) torn += 1;
    if (held !== null) {
      if (!isWhole(held)) torn += 1;
      held.release();
    }
    held = message;
  }
  console.log(JSON.stringify({ torn, misplaced, taken, sum: taken + subscription.dropped }));
`;

describe('two processes that race', () => {
  it('tear no frame, and count every one that was overwritten', async () => {
    const channel = newChannel({ entries: 2, frameBytes, maxSubscribers: 1, maxHeld: 2, loans: 1 });
    const { publisher, granted } = channel;
    const { child, post } = await startPeer(raceInPeer);
    const { close } = await admit(channel, post);
    await post.next();
    const words = new Map<number, Int32Array>();
    for (let sequence = 0; sequence < frames; sequence += 1) {
      const frame = publisher.loan();
      if (frame === null) throw new Error('no frame to loan');
      const { index, bytes } = frame;
      const view = words.get(index) ?? new Int32Array(bytes.buffer, bytes.byteOffset, frameBytes / 4);
      words.set(index, view);
      view.fill(sequence);
      publisher.publish(frame, 4 * (1 + (sequence & 7)));
    }
    publisher.close();
    const { code, stdout, stderr } = await child.end();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { taken, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({ torn: 0, misplaced: 0, sum: frames });
    expect(taken).toBeGreaterThan(leastTaken);
    close();
    granted.close();
  }, 120_000);
});
