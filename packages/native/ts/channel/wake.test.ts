import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Descriptor } from '../descriptor.ts';
import { createSegment } from '../segment.ts';
import { Child } from '../testing/child.ts';
import { codeOf } from '../testing/code-of.ts';
import { newPath } from '../testing/sockets.ts';
import { Rig } from './testing/rig.ts';
import { createWake, isWakeDescriptor, signal } from './wake.ts';

const small = { entries: 4, frameBytes: 64, maxSubscribers: 2, maxHeld: 2 } as const;

describe('a wake', () => {
  it('calls back once or more for any number of signals, and again for the next', async () => {
    using wake = createWake();
    let calls = 0;
    wake.onSignal(() => {
      calls += 1;
    });
    wake.ref();
    let sent = 0;
    for (let count = 0; count < 1000; count += 1) sent += signal(wake.signalDescriptor) ? 1 : 0;
    expect(sent).toBe(1000);
    await vi.waitFor(() => expect(calls).toBeGreaterThanOrEqual(1));
    await delay(20);
    const before = calls;
    await delay(20);
    expect(calls).toBe(before);
    signal(wake.signalDescriptor);
    await vi.waitFor(() => expect(calls).toBe(before + 1));
  });

  it('is told from everything else that somebody may hand over', async () => {
    using wake = createWake();
    expect(isWakeDescriptor(wake.signalDescriptor)).toBe(true);
    using segment = createSegment({ name: 'no-wake', bytes: 4096 });
    expect(isWakeDescriptor(segment)).toBe(false);
    const path = newPath();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = createConnection(path);
    await new Promise((resolve) => client.once('connect', resolve));
    const { fd } = (client as unknown as { _handle: { fd: number } })._handle;
    using stream = Descriptor.duplicate(fd);
    expect(isWakeDescriptor(stream)).toBe(false);
    const rig = new Rig(small);
    expect(codeOf(() => rig.join({ signalDescriptor: stream } as never))).toBe('invalid_argument');
    client.destroy();
    server.close();
  });

  it('says that the sleeper is gone, and is closed once', () => {
    const wake = createWake();
    using waker = Descriptor.duplicate(wake.signalDescriptor.fd);
    wake.close();
    wake.close();
    expect(wake.closed).toBe(true);
    expect(signal(waker)).toBe(false);
    expect(codeOf(() => wake.onSignal(() => undefined))).toBe('closed');
  });

  it('keeps no process alive by itself, and one that waits until it ends', async () => {
    const idle = new Child(`globalThis.wake = nautilus.createWake(); console.log('made');`);
    expect(await idle.end()).toMatchObject({ code: 0, stdout: 'made\n', stderr: '' });
    const waiting = new Child(
      `const wake = nautilus.createWake(); wake.ref(); setTimeout(() => { wake.close(); }, 50);`,
    );
    expect(await waiting.end()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a subscription that waits', () => {
  it('is woken by a publish, a close, a removal, a finish, and its own leaving', async () => {
    const acts = {
      publish: (rig: Rig) => rig.publish(),
      close: (rig: Rig) => rig.publisher.close(),
      remove: (rig: Rig) => rig.publisher.remove(0),
    };
    for (const [name, act] of Object.entries(acts)) {
      using wake = createWake();
      const rig = new Rig(small);
      const { subscription } = rig.join(wake);
      const waiting = subscription.wait();
      act(rig);
      expect(await waiting).toBe(name === 'publish');
    }
    for (const act of ['finish', 'leave'] as const) {
      using wake = createWake();
      const { subscription } = new Rig(small).join(wake);
      const waiting = subscription.wait();
      subscription[act]('gone');
      expect(await waiting).toBe(false);
      expect(subscription.take()).toBeNull();
      expect(subscription.ended).toBe(act === 'leave' ? 'left' : 'gone');
    }
  });

  it('ends by time and by signal, says when it cannot wait, and waits once at a time', async () => {
    using wake = createWake();
    const rig = new Rig(small);
    const { subscription } = rig.join(wake);
    expect(await subscription.wait({ timeoutMs: 5 })).toBe(false);
    expect(await subscription.wait({ signal: AbortSignal.timeout(5) })).toBe(false);
    expect(await subscription.wait({ signal: AbortSignal.abort() })).toBe(false);
    const first = subscription.wait({ timeoutMs: 5 });
    await expect(subscription.wait()).rejects.toThrow(/one is under way already/);
    expect(await first).toBe(false);
    rig.publish();
    expect(await subscription.wait({ timeoutMs: 0 })).toBe(true);
    await expect(rig.join().subscription.wait()).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('spins until the deadline at most', () => {
    const rig = new Rig(small);
    const { subscription } = rig.join();
    const start = performance.now();
    expect(subscription.takeSpinning(start + 20)).toBeNull();
    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
    rig.publish();
    expect(subscription.takeSpinning(0)?.sequence).toBe(0);
  });

  it('iterates to the end, and lets the event loop turn below a publisher that never pauses', async () => {
    using wake = createWake();
    const rig = new Rig({ ...small, entries: 8 });
    const { subscription } = rig.join(wake);
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const taken: number[] = [];
    rig.publish();
    for await (const message of subscription) {
      expect(rig.isIntact(message)).toBe(true);
      taken.push(message.sequence);
      message.release();
      const until = performance.now() + 0.01;
      while (performance.now() < until);
      if (taken.length < 2000) rig.publish();
      else rig.publisher.close();
    }
    clearInterval(counting);
    expect(taken).toEqual(Array.from({ length: 2000 }, (_, at) => at));
    expect(turns).toBeGreaterThan(5);
    expect(subscription.ended).toBe('closed');
  });
});
