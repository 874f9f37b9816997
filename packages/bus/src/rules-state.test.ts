/** The measured rules of state in JetStream, M7–M10, and what a restart of the broker leaves of it. */
import { type Bucket, buckets, type DesiredBudget, NautilusError } from '@nautilus/contracts';
import { describe, expect, test } from 'vitest';
import type { Change } from './store.ts';
import { streamState } from './testing/inspect.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';
import { eventually, type RecordingLog, recordingLog, testBus } from './testing/setup.ts';

function budget(budgetBytes: number): DesiredBudget {
  return { budgetBytes, epoch: 1, plan: 'p', reason: 'test', decidedAt: 1 };
}

async function consumersOf(nats: NatsServer, stream: string): Promise<number> {
  return (await streamState(nats, stream)).consumer_count;
}

/** A watch that was told of the reconnect has not had to find out by the silence of its consumer. */
function expectTold(log: RecordingLog): void {
  expect(log.lines.filter((line) => /heartbeat/.test(String(line.fields['reason'])))).toEqual([]);
}

/** What a watcher believes. */
function mirror() {
  const state = new Map<string, number>();
  const changes: Change<DesiredBudget>[] = [];
  const handler = (change: Change<DesiredBudget>): void => {
    changes.push(change);
    if (change.value === null) state.delete(change.key);
    else state.set(change.key, change.value.budgetBytes);
  };
  return { state, changes, handler };
}

describe('state rules', () => {
  test('M7 a lost store: buckets are made again, the watch goes on and reports what is gone', async () => {
    const log = recordingLog();
    await using nats = await startNats({ jetstream: true });
    await using writer = await testBus(nats, 'writer');
    await using reader = await testBus(nats, 'reader', { log });
    const desired = await writer.store(buckets.desired);
    for (let i = 1; i <= 5; i += 1) await desired.put('h1.lost', budget(i));
    const seen = mirror();
    const watch = await (await reader.store(buckets.desired)).watch('h1.>', seen.handler);
    expect(seen.state).toEqual(new Map([['h1.lost', 5]]));
    await nats.restart({ keepStore: false });
    await eventually('both are back', () => writer.state === 'connected' && reader.state === 'connected');
    await eventually('the loss is reported', () => !seen.state.has('h1.lost'));
    const revision = await desired.put('h1.lost', budget(7));
    await eventually('the new value arrives', () => seen.state.get('h1.lost') === 7);
    expect(await desired.get('h1.lost')).toMatchObject({ revision });
    expect(await consumersOf(nats, 'KV_desired')).toBe(1);
    expectTold(log);
    await watch.stop();
    expect(await consumersOf(nats, 'KV_desired')).toBe(0);
  });

  test('M7 a key written to the new store before the watch is back counts, though its revision is smaller', async () => {
    const log = recordingLog();
    await using nats = await startNats({ jetstream: true });
    await using writer = await testBus(nats, 'writer');
    // Comes back about a second after the writer.
    await using reader = await testBus(nats, 'reader', { log, reconnectDelayMs: 1_000, random: () => 0.99 });
    const desired = await writer.store(buckets.desired);
    for (let i = 1; i <= 5; i += 1) await desired.put('h1.kept', budget(i));
    const seen = mirror();
    await (await reader.store(buckets.desired)).watch('h1.>', seen.handler);
    await nats.restart({ keepStore: false });
    await eventually('the writer is back', () => writer.state === 'connected');
    expect(await desired.put('h1.kept', budget(7))).toBeLessThan(5);
    expect(reader.state).toBe('disconnected');
    await eventually('the new value arrives', () => seen.state.get('h1.kept') === 7);
    expect(seen.changes).toHaveLength(2);
    expectTold(log);
  });

  test('M8 a restart with the store loses no state, no change and no watcher', async () => {
    const log = recordingLog();
    await using nats = await startNats({ jetstream: true });
    await using writer = await testBus(nats, 'writer');
    await using reader = await testBus(nats, 'reader', { log });
    const desired = await writer.store(buckets.desired);
    const readers = await reader.store(buckets.desired);
    const seen = [mirror(), mirror(), mirror()];
    for (let i = 0; i < 20; i += 1) await desired.put(`h1.c${i}`, budget(i));
    for (const each of seen) await readers.watch('h1.>', each.handler);
    for (let round = 0; round < 2; round += 1) {
      await nats.restart({ keepStore: true });
      await eventually('the writer is back', () => writer.state === 'connected');
      for (let i = 0; i < 20; i += 2) await desired.put(`h1.c${i}`, budget(1_000 * (round + 1) + i));
      await desired.delete(`h1.c${round * 2 + 1}`);
    }
    const truth = new Map(
      [...(await desired.snapshot()).entries()].map(([k, v]) => [k, v.value.budgetBytes]),
    );
    expect(truth.size).toBe(18);
    for (const each of seen)
      await eventually(
        'the watcher agrees',
        () => JSON.stringify([...each.state].sort()) === JSON.stringify([...truth].sort()),
      );
    expectTold(log);
    // Each key in the order of its revisions, nothing twice.
    for (const each of seen) {
      const newest = new Map<string, number>();
      for (const change of each.changes) {
        expect(change.revision).toBeGreaterThan(newest.get(change.key) ?? 0);
        newest.set(change.key, change.revision);
      }
    }
    await eventually('one consumer per watcher', async () => (await consumersOf(nats, 'KV_desired')) === 3);
  });

  test('M9 a watch on an empty bucket says that it is complete; then it is live', async () => {
    await using nats = await startNats({ jetstream: true });
    await using bus = await testBus(nats, 'bus');
    const desired = await bus.store(buckets.desired);
    expect(await desired.snapshot()).toEqual(new Map());
    expect(await desired.keys()).toEqual([]);
    const seen = mirror();
    await desired.watch('h1.>', seen.handler);
    expect(seen.changes).toEqual([]);
    await desired.put('h1.a', budget(1));
    // A bucket keeps one value a key: one that is replaced before the server got to it is never delivered.
    await eventually('the first value', () => seen.changes.length === 1);
    await desired.put('h2.a', budget(2));
    await desired.put('h1.b', budget(3));
    await desired.delete('h1.a');
    await eventually('the deletion', () => seen.changes.length === 3);
    expect(seen.changes.map(({ key, value }) => [key, value?.budgetBytes ?? null])).toEqual([
      ['h1.a', 1],
      ['h1.b', 3],
      ['h1.a', null],
    ]);
    expect((await desired.keys('h1.>')).sort()).toEqual(['h1.b']);
    expect((await desired.keys()).sort()).toEqual(['h1.b', 'h2.a']);
    expect([...(await desired.snapshot('h2.*')).keys()]).toEqual(['h2.a']);
    expect(await consumersOf(nats, 'KV_desired')).toBe(1);
  });

  test('M10 a wrong revision is a conflict and changes nothing', async () => {
    await using nats = await startNats({ jetstream: true });
    await using bus = await testBus(nats, 'bus');
    const desired = await bus.store(buckets.desired);
    const created = await desired.create('h1.a', budget(1));
    expect(created).toEqual({ ok: true, value: 1 });
    expect(await desired.create('h1.a', budget(2))).toMatchObject({ ok: false, fault: { code: 'conflict' } });
    expect(await desired.update('h1.a', budget(3), 1)).toEqual({ ok: true, value: 2 });
    expect(await desired.update('h1.a', budget(4), 1)).toMatchObject({
      ok: false,
      fault: { code: 'conflict' },
    });
    await expect(desired.delete('h1.a', 1)).rejects.toMatchObject({ code: 'conflict' });
    expect(await desired.get('h1.a')).toEqual({ value: budget(3), revision: 2 });
    await desired.delete('h1.a', 2);
    expect(await desired.get('h1.a')).toBeNull();
    expect(await desired.create('h1.a', budget(5))).toMatchObject({ ok: true });
  });

  test('M9 keys that are replaced while they are listed are neither missed nor taken for deleted', async () => {
    await using nats = await startNats({ jetstream: true });
    await using writer = await testBus(nats, 'writer');
    await using reader = await testBus(nats, 'reader');
    const desired = await writer.store(buckets.desired);
    const keys = Array.from({ length: 50 }, (_, index) => `h1.c${index}`);
    for (const key of keys) await desired.put(key, budget(0));
    const readers = await reader.store(buckets.desired);
    const seen = mirror();
    await readers.watch('h1.>', seen.handler, { reconcileMs: 5 });
    let writing = true;
    const writes = (async () => {
      for (let round = 1; writing; round += 1)
        await Promise.all(keys.map((key) => desired.put(key, budget(round))));
    })();
    for (let i = 0; i < 60; i += 1) expect(await readers.keys('h1.>')).toHaveLength(keys.length);
    writing = false;
    await writes;
    expect(reader.stats.rewatches).toBeGreaterThan(3);
    expect(seen.changes.filter((change) => change.value === null)).toEqual([]);
  });

  test('an expired key is reported though NATS 2.9 says nothing', async () => {
    await using nats = await startNats({ jetstream: true });
    await using bus = await testBus(nats, 'bus');
    const short: Bucket<typeof buckets.desired.value> = { ...buckets.desired, name: 'short', ttlMs: 600 };
    const store = await bus.store(short);
    const seen = mirror();
    await store.watch('>', seen.handler);
    await store.put('h1.a', budget(1));
    await eventually('the value', () => seen.state.has('h1.a'));
    await eventually('the expiry', () => !seen.state.has('h1.a'), 3_000);
    expect(seen.changes.at(-1)).toMatchObject({ key: 'h1.a', value: null });
  });

  test('a value that does not match its contract is logged and skipped', async () => {
    await using nats = await startNats({ jetstream: true });
    const log = recordingLog();
    await using bus = await testBus(nats, 'bus', { log });
    const desired = await bus.store(buckets.desired);
    const foreign = await bus.store<unknown>({ ...buckets.desired });
    await foreign.put('h1.bad', { budgetBytes: 'much' });
    await desired.put('h1.good', budget(1));
    const seen = mirror();
    await desired.watch('>', seen.handler);
    expect([...seen.state.keys()]).toEqual(['h1.good']);
    expect(await desired.get('h1.bad')).toBeNull();
    const line = log.lines.find((each) => each.message.includes('stored value'));
    expect(JSON.stringify(line?.fields)).toMatch(/h1\.bad.*budgetBytes.*much/);
  });

  test('a bucket that exists with another time to live is refused, with both numbers', async () => {
    await using nats = await startNats({ jetstream: true });
    await using bus = await testBus(nats, 'bus');
    await bus.store({ ...buckets.lease, ttlMs: 7_000 });
    await using other = await testBus(nats, 'other');
    const refusal = await other.store(buckets.lease).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NautilusError);
    expect((refusal as NautilusError).code).toBe('config_invalid');
    expect((refusal as Error).message).toMatch(/"lease".*max_age is 7000000000, wanted 5000000000.*KV_lease/);
  });
});
