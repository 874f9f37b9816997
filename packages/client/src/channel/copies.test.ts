import type { FramePart } from '@nautilus/bus';
import { type DataAddress, dataSubject, unwrap } from '@nautilus/contracts';
import { describe, expect, it } from 'vitest';
import { Copies, type CopyBus, copyLifeMs } from './copies.ts';

interface Sent {
  readonly subject: string;
  readonly part: FramePart;
  readonly bytes: number;
}

function rig(options: { isDown?: () => boolean; flush?: () => Promise<void> } = {}) {
  const sent: Sent[] = [];
  const time = { nowMs: 0 };
  let copiedBytes = 0;
  const bus: CopyBus = {
    largestPartBytes: 2 ** 20,
    publishData: (at: DataAddress, part, bytes) => {
      if (options.isDown?.() === true) return false;
      sent.push({ subject: dataSubject(at), part, bytes: bytes.length });
      return true;
    },
    flush: options.flush ?? (async () => undefined),
  };
  const copies = new Copies({
    bus,
    host: 'h1',
    publisher: 'market-data',
    channel: 'quotes',
    stream: 's-00000001',
    monotonic: () => time.nowMs,
    copied: (bytes) => {
      copiedBytes += bytes;
    },
  });
  return { copies, sent, time, copiedBytes: () => copiedBytes };
}

const to = (subscriber: string) => `nautilus.v1.data.h1.market-data.${subscriber}.quotes`;

describe('copies', () => {
  it('go once to each subscribing container, however often it subscribed', () => {
    const { copies, sent, copiedBytes } = rig();
    expect(copies.isNeeded).toBe(false);
    expect(unwrap(copies.admit('risk-engine', 'c-00000001'))).toBe(true);
    expect(unwrap(copies.admit('risk-engine', 'c-00000002'))).toBe(true);
    expect(unwrap(copies.admit('archive', 'c-00000003'))).toBe(true);
    expect(unwrap(copies.admit('archive', 'c-00000003'))).toBe(false);
    copies.send(-1, new Uint8Array(5));
    const part = { stream: 's-00000001', sequence: 0xffff_ffff, part: 0, parts: 1, length: 5 };
    expect(sent).toEqual([
      { subject: to('risk-engine'), part, bytes: 5 },
      { subject: to('archive'), part, bytes: 5 },
    ]);
    expect(copiedBytes()).toBe(10);
  });

  it('end with the life of a subscription that gives no sign of it, not before', () => {
    const { copies, sent, time } = rig();
    copies.admit('risk-engine', 'c-00000001');
    copies.admit('archive', 'c-00000002');
    time.nowMs = copyLifeMs - 1;
    copies.admit('archive', 'c-00000002');
    copies.send(0, new Uint8Array(1));
    expect(sent).toHaveLength(2);
    time.nowMs = copyLifeMs;
    copies.send(1, new Uint8Array(1));
    expect(sent.slice(2).map(({ subject }) => subject)).toEqual([to('archive')]);
    time.nowMs = 2 * copyLifeMs;
    copies.send(2, new Uint8Array(1));
    expect(sent).toHaveLength(3);
    expect(copies.isNeeded).toBe(false);
  });

  it('end when the last subscription of a container is dismissed; the end of all is said', () => {
    const { copies, sent } = rig();
    copies.admit('risk-engine', 'c-00000001');
    copies.admit('risk-engine', 'c-00000002');
    expect(copies.dismiss('risk-engine', 'c-00000001')).toBe(true);
    expect(copies.dismiss('archive', 'c-00000002')).toBe(false);
    copies.send(0, new Uint8Array(1));
    copies.end(-7);
    expect(sent.map(({ part }) => part.parts)).toEqual([1, 0]);
    expect(sent.at(-1)?.part.sequence).toBe(0xffff_fff9);

    expect(copies.isNeeded).toBe(false);
  });

  it('are for so many subscriptions', () => {
    const { copies } = rig();
    for (let index = 0; index < 64; index += 1) copies.admit(`c${index % 7}`, `c-${index}`);
    expect(copies.admit('one-more', 'c-x')).toMatchObject({ ok: false, fault: { code: 'overloaded' } });
    expect(copies.admit('c0', 'c-0').ok).toBe(true);
  });

  it('of frames longer than what may be under way go out alone, to each subscriber in turn', async () => {
    let flushes = 0;
    const { copies, sent } = rig({
      flush: async () => {
        flushes += 1;
      },
    });
    copies.admit('risk-engine', 'c-00000001');
    copies.admit('archive', 'c-00000002');
    copies.send(0, new Uint8Array(1));
    const frame = new Uint8Array(2 ** 24 + 1);
    // Of the first frame two bytes are under way: they are flushed, and then nothing is.
    copies.send(1, frame);
    expect([copies.spared, sent.length, flushes]).toEqual([2, 2, 1]);
    await Promise.resolve();
    copies.send(2, frame);
    await Promise.resolve();
    copies.send(3, frame);
    const of = (sequence: number) => sent.filter(({ part }) => part.sequence === sequence && part.part === 0);
    expect(of(2).map(({ subject }) => subject)).toEqual([to('risk-engine')]);
    expect(of(3).map(({ subject }) => subject)).toEqual([to('archive')]);
    expect([copies.spared, flushes]).toEqual([4, 3]);
  });

  it('are spared when the link is down or takes no more, and go on when it does', async () => {
    let isDown = true;
    let flushed: () => void = () => undefined;
    const flush = () =>
      new Promise<void>((resolve) => {
        flushed = resolve;
      });
    const { copies, sent } = rig({ isDown: () => isDown, flush });
    copies.admit('risk-engine', 'c-00000001');
    copies.send(0, new Uint8Array(1));
    expect([copies.spared, sent.length]).toEqual([1, 0]);
    isDown = false;
    const frame = new Uint8Array(2 ** 24);
    copies.send(1, frame);
    expect(sent).toHaveLength(16);
    copies.send(2, frame);
    expect([copies.spared, sent.length]).toEqual([2, 16]);
    flushed();
    await Promise.resolve();
    copies.send(3, frame);
    expect([copies.spared, sent.length]).toEqual([2, 32]);
  });
});
