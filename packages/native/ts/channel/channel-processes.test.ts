// A kill can come at any instruction of a real process, and no processor asks a test for its order of accesses.
// NAUTILUS_CHANNEL_KILLS sets how many processes each test here kills.

import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSegment, mapSegment, reopenReadOnly } from '../segment.ts';
import { cursorBytes } from './layout.ts';
import type { Message } from './message.ts';
import { openSubscription } from './subscription.ts';
import { createCursor } from './subscription-types.ts';
import { admit, joinInPeer, newChannel, startPeer } from './testing/processes.ts';
import { fill, isIntact, lengthFor } from './testing/rig.ts';
import { createWake } from './wake.ts';

const kills = Number(process.env['NAUTILUS_CHANNEL_KILLS'] ?? 6);
const patienceMs = 60_000 + kills * 4000;
const shape = { entries: 8, frameBytes: 500, maxSubscribers: 3, maxHeld: 4, loans: 2, history: 8 } as const;
const frames = 8 + 2 + 3 * 4;

function newCursor(nonce: number) {
  using segment = createSegment({ name: 'cursor', bytes: cursorBytes });
  const mapping = mapSegment(segment, { access: 'read-write' });
  createCursor(mapping, { nonce });
  return { mapping, granted: reopenReadOnly(segment) };
}

/** Takes all there is, checks it, and holds some of it for a while. */
const takeInPeer = `
  ${joinInPeer}
  const held = [];
  let taken = 0;
  for await (const message of subscription) {
    if (!rig.isIntact(message, ${shape.frameBytes})) console.log('torn', message.sequence);
    held.push(message);
    if (held.length === 4 || message.sequence % 3 === 0) {
      const [oldest] = held.splice(message.sequence % held.length, 1);
      if (!rig.isIntact(oldest, ${shape.frameBytes})) console.log('used again', oldest.sequence);
      oldest.release();
    }
    if ((taken += 1) === 100) console.log('running');
  }
`;

describe('subscribers that are killed', () => {
  it(
    'at any instruction cost no frame, stop nobody, and spoil nothing that others take',
    async () => {
      const channel = newChannel(shape);
      const own = newCursor(1);
      const { slot } = channel.publisher.admit({ nonce: 1, cursor: own.mapping, wake: null });
      const steady = openSubscription({
        channel: mapSegment(channel.granted, { access: 'read-only' }),
        cursor: own.mapping,
        slot,
        nonce: 1,
      });
      let sequence = 0;
      let torn = 0;
      const publish = () => {
        const frame = channel.publisher.loan();
        if (frame === null) throw new Error('no frame to loan');
        const length = lengthFor(sequence, shape.frameBytes);
        fill(frame.bytes.subarray(0, length), sequence);
        channel.publisher.publish(frame, length);
        sequence = (sequence + 1) | 0;
        const message = steady.take();
        if (message === null || !isIntact(message, shape.frameBytes)) torn += 1;
        message?.release();
      };
      const pump = async (until: () => boolean) => {
        while (!until()) {
          for (let count = 0; count < 50; count += 1) publish();
          await setImmediate();
        }
      };
      for (let killed = 0; killed < kills; killed += 1) {
        const { child, post } = await startPeer(takeInPeer);
        const { close } = await admit(channel, post);
        let isRunning = false;
        const saw = child.saw('running').finally(() => {
          isRunning = true;
        });
        await pump(() => isRunning);
        await saw;
        const killAtMs = performance.now() + Math.random() * 5;
        await pump(() => performance.now() >= killAtMs);
        child.kill();
        const ended = child.end();
        await pump(() => performance.now() >= killAtMs + 20);
        expect(await ended).toMatchObject({ signal: 'SIGKILL', stdout: 'running\n', stderr: '' });
        expect(channel.publisher.stats().inLimbo).toBeLessThanOrEqual(shape.maxHeld);
        close();
        const { free, loaned, inRing, inLimbo } = channel.publisher.stats();
        expect({ sum: free + loaned + inRing, inLimbo }).toEqual({ sum: frames, inLimbo: 0 });
      }
      expect(torn).toBe(0);
      expect(steady.dropped).toBe(0);
      for (const one of [channel.granted, own.granted]) one.close();
    },
    patienceMs,
  );
});

describe('publishers that are killed', () => {
  it(
    'at any instruction leave what they published, and subscribers that come to an end',
    async () => {
      for (let killed = 0; killed < kills; killed += 1) {
        const { child, post } = await startPeer(`
        const options = ${JSON.stringify(shape)};
        const channel = create('channel', nautilus.channelBytes(options));
        const publisher = nautilus.createChannel(channel.mapping, options);
        post.send({}, [channel.granted]);
        channel.granted.close();
        const { said, descriptors: [first, second, wake] } = await post.next();
        const slots = [[first, 1, null], [second, 2, wake]].map(([cursor, nonce, wake]) =>
          publisher.admit({ nonce, cursor: mapGranted(cursor), wake }).slot);
        post.send({ first: slots[0], second: slots[1] });
        for (let sequence = 0; ; sequence = (sequence + 1) | 0) {
          const frame = publisher.loan();
          const length = rig.lengthFor(sequence, options.frameBytes);
          rig.fill(frame.bytes.subarray(0, length), sequence);
          publisher.publish(frame, length);
          if (sequence % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
        }`);
        const [granted] = (await post.next()).descriptors;
        if (granted === undefined) throw new Error('no channel');
        const cursors = [newCursor(1), newCursor(2)] as const;
        using wake = createWake();
        post.send({}, [cursors[0].granted, cursors[1].granted, wake.signalDescriptor]);
        const { said } = await post.next();
        const channel = mapSegment(granted, { access: 'read-only' });
        const polling = openSubscription({
          channel,
          cursor: cursors[0].mapping,
          slot: said['first'] ?? -1,
          nonce: 1,
        });
        const waiting = openSubscription({
          channel,
          cursor: cursors[1].mapping,
          slot: said['second'] ?? -1,
          nonce: 2,
          wake,
        });
        let torn = 0;
        const last = { polling: -1, waiting: -1 };
        const see = (who: 'polling' | 'waiting', message: Message) => {
          if (!isIntact(message, shape.frameBytes) || message.sequence <= last[who]) torn += 1;
          last[who] = message.sequence;
          message.release();
        };
        const iterating = (async () => {
          for await (const message of waiting) see('waiting', message);
        })();
        await expect.poll(() => waiting.taken, { timeout: 10_000 }).toBeGreaterThan(100);
        const killAtMs = performance.now() + Math.random() * 5;
        while (performance.now() < killAtMs) {
          const message = polling.take();
          if (message !== null) see('polling', message);
          else await setImmediate();
        }
        child.kill();
        expect(await child.end()).toMatchObject({ signal: 'SIGKILL', stdout: '', stderr: '' });
        waiting.finish('killed');
        polling.finish('killed');
        await Promise.race([iterating, delay(5000).then(() => expect.unreachable('the iteration hangs'))]);
        for (let message = polling.take(); message !== null; message = polling.take())
          see('polling', message);
        expect(torn).toBe(0);
        expect([polling.ended, waiting.ended]).toEqual(['killed', 'killed']);
        // Both end with the last frame that was published, whoever saw it first.
        expect(last.polling).toBe(last.waiting);
        post.close();
        for (const one of [granted, ...cursors.map((cursor) => cursor.granted)]) one.close();
      }
    },
    patienceMs,
  );
});

describe('two processes that sleep', () => {
  it('lose no wake-up in 10,000 rounds', async () => {
    const rounds = 10_000;
    const options = { entries: 2, frameBytes: 8, maxSubscribers: 1, maxHeld: 1 } as const;
    const channel = newChannel(options);
    const { child, post } = await startPeer(`
      ${joinInPeer}
      const back = create('back', nautilus.channelBytes(${JSON.stringify(options)}));
      const publisher = nautilus.createChannel(back.mapping, ${JSON.stringify(options)});
      post.send({}, [back.granted]);
      back.granted.close();
      const { descriptors: [theirs, theirWake] } = await post.next();
      const { slot } = publisher.admit({ nonce: 9, cursor: mapGranted(theirs), wake: theirWake });
      post.send({ slot });
      for (let round = 0; round < ${rounds}; round += 1) {
        const start = performance.now();
        await subscription.wait({ timeoutMs: 10_000 });
        if (performance.now() - start > 9000) throw new Error('lost wake-up in round ' + round);
        subscription.take().release();
        publisher.publish(publisher.loan(), 0);
      }
      console.log('all rounds');`);
    const { close: end } = await admit(channel, post);
    const [back] = (await post.next()).descriptors;
    if (back === undefined) throw new Error('no channel back');
    const cursor = newCursor(9);
    using wake = createWake();
    post.send({}, [cursor.granted, wake.signalDescriptor]);
    const slot = (await post.next()).said['slot'] ?? -1;
    const subscription = openSubscription({
      channel: mapSegment(back, { access: 'read-only' }),
      cursor: cursor.mapping,
      slot,
      nonce: 9,
      wake,
    });
    for (let round = 0; round < rounds; round += 1) {
      const frame = channel.publisher.loan();
      if (frame === null) throw new Error('no frame');
      channel.publisher.publish(frame, 0);
      // Sometimes the answer is there before this side sleeps, sometimes while it falls asleep.
      const until = performance.now() + (round % 5) * 0.01;
      while (performance.now() < until);
      const start = performance.now();
      expect(await subscription.wait({ timeoutMs: 10_000 })).toBe(true);
      // What nobody was woken for is found when the time is up.
      expect(performance.now() - start).toBeLessThan(9000);
      subscription.take()?.release();
    }
    expect(await child.end()).toMatchObject({ code: 0, stdout: 'all rounds\n', stderr: '' });
    end();
    for (const one of [back, cursor.granted, channel.granted]) one.close();
  }, 60_000);
});
