/** The ring has a segment of its own when it can, and every reader is let in sooner or later. */
import { describe, expect, it } from 'vitest';
import { collect } from '../testing/collect.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { FaultLog } from './fault-log.ts';
import { Publisher } from './publisher.ts';

function publisherOn(host: FakeHost) {
  const client = host.client('market-data');
  const out = collect();
  const fallback = client.pool('trading');
  const publisher = new Publisher({
    client,
    fallback,
    readers: ['risk-engine', 'ml-engine'],
    report: out.report,
    faults: new FaultLog(out.report),
    signal: new AbortController().signal,
  });
  return { publisher, fallback, client, out };
}

const granted = (host: FakeHost) => host.segments.filter(({ grants }) => grants.size > 0);

describe('the publisher', () => {
  it('uses the pool of frames', async () => {
    const host = new FakeHost(['trading', 'frames']);
    const { publisher, out } = publisherOn(host);
    await publisher.maintain();
    expect(granted(host).map(({ pool, grants }) => [pool, [...grants]])).toEqual([
      ['frames', ['risk-engine', 'ml-engine']],
    ]);
    expect(out.of('ready')).toHaveLength(1);
  });

  it('else the fallback, at the start of a segment', async () => {
    const host = new FakeHost(['trading']);
    const { publisher, fallback, client } = publisherOn(host);
    await fallback.allocate(3_000_000);
    const busy = host.segments[0];
    if (busy !== undefined) Object.assign(busy, { buffer: new ArrayBuffer(8_000_000) });
    await publisher.maintain();
    expect(granted(host).map(({ id, pool }) => [id, pool])).toEqual([['s-00000001', 'trading']]);
    // What it tried in the busy segment on the way is free again.
    expect(client.counted).toEqual({ allocations: 4, frees: 2 });
  });

  it('tries a reader again that could not be let in', async () => {
    const host = new FakeHost(['frames', 'trading']);
    host.notYetKnown.add('risk-engine');
    const { publisher, out } = publisherOn(host);
    await publisher.maintain();
    expect(granted(host)[0]?.grants).toEqual(new Set(['ml-engine']));
    expect(out.of('error')[0]).toMatchObject({ code: 'unknown_container' });
    host.notYetKnown.clear();
    await publisher.maintain();
    expect(granted(host)[0]?.grants).toEqual(new Set(['ml-engine', 'risk-engine']));
  });

  it('without memory publishes nothing and lives', async () => {
    const { publisher, out } = publisherOn(new FakeHost(['frames', 'trading'], 0));
    await publisher.maintain();
    publisher.publish(() => 0);
    expect(publisher.framesPublished).toBe(0);
    expect(out.of('error')[0]).toMatchObject({ code: 'over_budget', available: 0 });
  });
});
