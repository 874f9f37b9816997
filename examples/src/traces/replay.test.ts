/** A replay allocates what was recorded, survives refusals, and ends with nothing held. */
import { describe, expect, it } from 'vitest';
import { BlockSet } from '../library/block-set.ts';
import { FaultLog } from '../library/fault-log.ts';
import { collect } from '../testing/collect.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { recordsOf } from '../testing/records.ts';
import { readTrace } from './read-trace.ts';
import { Replay } from './replay.ts';

const trace = readTrace('t', recordsOf([0, 0, 100], [0, 1, 1000], [1, 0, 0], [0, 2, 10], [1, 1, 0]));

function replayOn(host: FakeHost) {
  const client = host.client('market-data');
  const { report } = collect();
  const faults = new FaultLog(report);
  const { signal } = new AbortController();
  const blocks = new BlockSet({ pool: client.pool('trading', { segmentBytes: 4096 }), faults, signal });
  return { client, faults, blocks, replay: new Replay(trace, blocks) };
}

describe('replay', () => {
  it('goes event by event, frees what is left, and starts over', async () => {
    const { replay, blocks, client } = replayOn(new FakeHost(['trading']));
    expect(await replay.step(3)).toBe(false);
    expect(blocks.liveBytes).toBe(1000);
    expect(await replay.step(2)).toBe(false);
    expect(blocks.liveBytes).toBe(10);
    expect(await replay.step(100)).toBe(true);
    expect(blocks.liveBytes).toBe(0);
    expect(client.counted).toEqual({ allocations: 3, frees: 3 });
    expect(await replay.step(3)).toBe(false);
    expect(blocks.liveBytes).toBe(1000);
  });

  it('touches both ends of a block', async () => {
    const host = new FakeHost(['trading']);
    const { replay } = replayOn(host);
    await replay.step(2);
    const bytes = new Uint8Array(host.segments[0]?.buffer ?? new ArrayBuffer(0));
    expect([bytes[128], bytes[129], bytes[1127]]).toEqual([1, 0, 1]);
  });

  it('passes over the free of a block that was refused', async () => {
    const { replay, faults, blocks } = replayOn(new FakeHost(['trading'], 0));
    expect(await replay.step(100)).toBe(true);
    expect(faults.total).toBe(3);
    expect(blocks.size).toBe(0);
  });
});
