/** A reader finds the ring, proves what it reads, and goes from one ring to the next. */
import { describe, expect, it } from 'vitest';
import { collect, until } from '../testing/collect.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { FaultLog } from './fault-log.ts';
import { FrameFeed } from './frame-feed.ts';
import { frameHeadBytes, headerBytes } from './frame-layout.ts';
import { ringShape } from './frame-ring.ts';
import { Publisher } from './publisher.ts';

const rows = (payload: Uint8Array): number => payload.fill(1, 0, 48) && 48;

function stage() {
  const host = new FakeHost(['trading', 'frames']);
  const stopping = new AbortController();
  const { signal } = stopping;
  const market = host.client('market-data');
  const out = collect();
  const publisher = new Publisher({
    client: market,
    fallback: market.pool('trading'),
    readers: ['risk-engine'],
    report: out.report,
    faults: new FaultLog(out.report),
    signal,
  });
  const seen = collect();
  let books = 0;
  const feed = new FrameFeed({
    client: host.client('risk-engine'),
    owner: 'market-data',
    signal,
    report: seen.report,
    onBook: () => {
      books += 1;
    },
  });
  return { host, stopping, market, publisher, feed, out, seen, books: () => books };
}

const ringOf = (host: FakeHost) => host.segments.find(({ grants }) => grants.size > 0);

describe('the feed', () => {
  it('verifies what is published after it opened, and nothing is copied', async () => {
    const { stopping, publisher, feed, seen, books } = stage();
    await publisher.maintain();
    publisher.publish(rows);
    publisher.publish(rows);
    const running = feed.run();
    await until('a frame', () => {
      publisher.publish(rows);
      return seen.of('verified').length > 0;
    });
    const proof = seen.of('verified')[0];
    expect(proof).toMatchObject({ owner: 'market-data', copied: false, bytesCopied: 0 });
    expect(Number(proof?.['sequence'])).toBeGreaterThan(Number(proof?.['sequenceAtOpen']));
    expect(Number(proof?.['sequenceAtOpen'])).toBeGreaterThanOrEqual(2);
    expect(books()).toBe(feed.figures().framesVerified);
    expect(feed.figures()).toMatchObject({ framesTorn: 0, framesMissed: 0, checksumErrors: 0 });
    stopping.abort();
    await running;
  });

  it('goes on with the next ring when one has ended', async () => {
    const { host, stopping, publisher, market, feed, seen } = stage();
    await publisher.maintain();
    const running = feed.run();
    await until('the first ring', () => {
      publisher.publish(rows);
      return seen.of('verified').length === 1;
    });
    const first = ringOf(host)?.id ?? '';
    market.lose(first);
    await publisher.maintain();
    await until('the second ring', () => {
      publisher.publish(rows);
      return seen.of('verified').length === 2;
    });
    expect(seen.of('ended')).toEqual([{ segment: first, reason: 'expiry' }]);
    expect(seen.of('verified')[1]?.['segment']).not.toBe(first);
    stopping.abort();
    await running;
  });

  it('counts what it came too late for, and what is wrong', async () => {
    const { host, stopping, publisher, feed, seen } = stage();
    await publisher.maintain();
    const running = feed.run();
    await until('the ring', () => {
      publisher.publish(rows);
      return seen.of('verified').length === 1;
    });
    for (let frame = 0; frame < ringShape.frameCount + 100; frame += 1) publisher.publish(rows);
    await until('what was missed', () => feed.figures().framesMissed > 0);
    const sequence = publisher.framesPublished + 1;
    publisher.publish(rows);
    const start = headerBytes + ((sequence - 1) % ringShape.frameCount) * ringShape.frameBytes;
    new Uint8Array(ringOf(host)?.buffer ?? new ArrayBuffer(0))[start + frameHeadBytes] = 99;
    await until('a wrong checksum', () => feed.figures().checksumErrors === 1);
    expect(seen.of('error')[0]).toMatchObject({ code: 'checksum' });
    stopping.abort();
    await running;
  });

  it('leaves a granted segment alone that is no ring', async () => {
    const { host, stopping, feed, seen } = stage();
    host.lease('market-data', 'trading', 8192).grants.add('risk-engine');
    const running = feed.run();
    await until('the refusal', () => seen.of('error').length === 1);
    expect(seen.of('error')[0]).toMatchObject({ code: 'no_ring', segment: 's-00000000' });
    stopping.abort();
    await running;
  });
});
