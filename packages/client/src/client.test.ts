import {
  type AlertBody,
  describeSegments,
  leaseSegment,
  memoryPressure,
  releaseMemory,
} from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NautilusClient } from './client.ts';
import { refusal } from './testing/fake-bus.ts';
import { Rig, segmentBytes, until } from './testing/rig.ts';

let rig: Rig;
let client: NautilusClient;
beforeEach(async () => {
  rig = new Rig();
  client = await rig.client();
});
afterEach(() => rig[Symbol.asyncDispose]());

describe('close', () => {
  it('releases every lease, unmaps, and stops serving', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(64);
    await pool.allocate(segmentBytes);
    const view = block.view();
    client.onPressure(() => undefined);
    await until('the subscription', () => rig.bus.subscriptions === 1);
    await client.close();
    await client.close();
    expect(rig.agent.stored.size).toBe(0);
    expect(view).toHaveLength(0);
    expect(rig.bus).toMatchObject({ served: 0, subscriptions: 0, state: 'connected' });
    await until('the socket is closed', () => rig.agent.connections === 0);

    for (const use of [
      () => client.pool('trading'),
      () => client.onLost(() => undefined),
      () => client.onRelease(() => 0),
      () => client.onPressure(() => undefined),
      () => pool.tryAllocate(1),
      () => pool.mark(),
      () => block.view(),
      () => block.free(),
    ])
      expect(use).toThrow(
        expect.objectContaining({ code: 'already_released', message: expect.stringMatching(/is closed/) }),
      );
    await expect(pool.allocate(1)).rejects.toMatchObject({ code: 'already_released' });
    await expect(client.open('s-00000001')).rejects.toMatchObject({ code: 'already_released' });
    await expect(client.describe()).rejects.toMatchObject({ code: 'already_released' });
    expect(client.stats()).toMatchObject({ segmentsHeld: 0, bytesShared: 0 });
  });

  it('ends what waits, and leaves no lease behind', async () => {
    rig.agent.ignore.add('redeem');
    const waiting = client.pool('trading', { segmentBytes }).allocate(1);
    await until('the ticket is redeemed', () => rig.agent.framesOf('redeem').length === 1);
    const closing = client.close();
    await expect(waiting).rejects.toMatchObject({
      code: 'already_released',
      message: 'pool "trading" is closed',
    });
    await closing;
    expect(rig.agent.stored.size).toBe(0);
  });

  it('works while agent and NATS are away', async () => {
    await client.pool('trading', { segmentBytes }).allocate(64);
    rig.agent.stop();
    rig.bus.state = 'disconnected';
    await client.close();
    expect(client.connected).toEqual({ nats: false, agent: false });
    rig.bus.state = 'connected';
  });

  it('happens at the end of a scope; the pool alone can be closed too', async () => {
    {
      await using scoped = await rig.client('risk-engine');
      {
        await using pool = scoped.pool('risk', { segmentBytes });
        await pool.allocate(1);
        expect(rig.agent.stored.size).toBe(1);
      }
      expect(rig.agent.stored.size).toBe(0);
      await scoped.pool('risk', { segmentBytes: 2 * segmentBytes }).allocate(1);
    }
    expect(rig.agent.stored.size).toBe(0);
  });
});

describe('onRelease', () => {
  const ask = (degree = 'shrink', signal?: AbortSignal) =>
    rig.bus.command<{ releasedBytes: number }>(
      releaseMemory,
      'trading-engine',
      { degree, bytes: 1000, reason: 'pressure' },
      signal,
    );

  it('sums empty segments and what the handlers say', async () => {
    const pool = client.pool('trading', { segmentBytes });
    (await pool.allocate(1)).free();
    const order: string[] = [];
    client.onRelease(async ({ degree, bytes, reason }) => {
      order.push(`${degree} ${bytes} ${reason}, ${pool.segments().length} segments`);
      return 30;
    });
    const stop = client.onRelease(() => 12);
    expect(await ask()).toEqual({ releasedBytes: segmentBytes + 42 });
    expect(order).toEqual(['shrink 1000 pressure, 0 segments']);
    stop();
    expect(await ask('everything')).toEqual({ releasedBytes: 30 });
  });

  it('releases segments without any handler', async () => {
    (await client.pool('trading', { segmentBytes }).allocate(1)).free();
    expect(await ask()).toEqual({ releasedBytes: segmentBytes });
  });

  it('releases what a handler emptied, and counts it once', async () => {
    const pool = client.pool('trading', { segmentBytes });
    const block = await pool.allocate(1000);
    client.onRelease(() => {
      block.free();
      return 1000;
    });
    expect(await ask()).toEqual({ releasedBytes: segmentBytes });
    expect(pool.segments()).toEqual([]);
  });

  it('counts a handler that fails or answers nonsense as nothing, and says so', async () => {
    client.onRelease(() => Promise.reject(new Error('no')));
    client.onRelease(() => Number.NaN);
    client.onRelease(() => -5);
    client.onRelease(() => 7);
    expect(await ask()).toEqual({ releasedBytes: 7 });
    expect(rig.log.filter((line) => line.level === 'error')).toHaveLength(3);
  });

  it('passes the signal of the asker on', async () => {
    const abort = new AbortController();
    let seen: AbortSignal | undefined;
    client.onRelease(({ signal }) => {
      seen = signal;
      return 0;
    });
    await ask('trim', abort.signal);
    abort.abort();
    expect(seen?.aborted).toBe(true);
  });
});

describe('onPressure', () => {
  const alert = (tier: AlertBody['tier'], previousTier: AlertBody['previousTier'] = null): AlertBody => ({
    alert: 'a1',
    host: 'h1',
    signal: 'memory-pressure',
    scope: { kind: 'host', name: 'h1' },
    state: 'raised',
    tier,
    previousTier,
    value: 0.9,
    threshold: 0.9,
    at: 1,
    text: '',
    runbook: '',
  });

  it('tells from the asked tier on, and when it steps down from there', async () => {
    const all: string[] = [];
    const severe: string[] = [];
    client.onPressure(() => {
      throw new Error('a bad handler');
    });
    client.onPressure(({ tier }) => void all.push(tier));
    const stop = client.onPressure(({ tier }) => void severe.push(tier), { minimumTier: 'critical' });
    await until('the subscription', () => rig.bus.subscriptions === 1);
    for (const body of [
      alert('info'),
      alert('warning', 'info'),
      alert('emergency'),
      alert('warning', 'critical'),
    ])
      rig.bus.publish(memoryPressure, 'h1', body);
    rig.bus.publish(memoryPressure, 'h2', alert('emergency'));
    expect(all).toEqual(['info', 'warning', 'emergency', 'warning']);
    expect(severe).toEqual(['emergency', 'warning']);
    stop();
    rig.bus.publish(memoryPressure, 'h1', alert('emergency'));
    expect(severe).toHaveLength(2);
    expect(rig.bus.subscriptions).toBe(1);
  });
});

describe('NATS', () => {
  it('may be away for a moment: an allocation waits', async () => {
    rig.bus.state = 'disconnected';
    expect(client.connected).toEqual({ nats: false, agent: false });
    const waiting = client.pool('trading', { segmentBytes }).allocate(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rig.bus.reconnect();
    expect((await waiting).length).toBe(1);
    expect(client.stats().reconnects).toBe(1);
  });

  it('answers late: the allocation asks again', async () => {
    const inner = new Rig();
    const impatient = await inner.client('trading-engine', { requestTimeoutMs: 60 });
    let calls = 0;
    inner.bus.answer(leaseSegment, () => {
      calls += 1;
      if (calls === 1) return new Promise(() => undefined);
      throw refusal('unknown_pool');
    });
    await expect(impatient.pool('trading').allocate(1)).rejects.toMatchObject({ code: 'unknown_pool' });
    expect(calls).toBe(2);
    await inner[Symbol.asyncDispose]();
  });
});

describe('describe', () => {
  it("asks in the container's own name", async () => {
    const answer = {
      container: 'trading-engine',
      budgetBytes: 1,
      leasedBytes: 0,
      segments: [],
      truncated: false,
    };
    rig.bus.answer(describeSegments, (_, at) => ({ ...answer, container: `${at.party}@${at.host}` }));
    expect(await client.describe()).toEqual({ ...answer, container: 'trading-engine@h1' });
    const foreign = await rig.client('Trading.Engine');
    expect((await foreign.describe()).container).toBe('--54rading--2e--45ngine@h1');
  });
});
