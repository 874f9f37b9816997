/** Every container runs on a host that is only pretended: it gets ready, works, and stops when it is told. */
import { afterEach, describe, expect, it } from 'vitest';
import { collect, until } from '../testing/collect.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { recordsOf } from '../testing/records.ts';
import { readTrace } from '../traces/read-trace.ts';
import { type ContainerName, containerPrograms } from './registry.ts';

const pools = ['trading', 'frames', 'analytics', 'risk', 'ml-models', 'websocket', 'temporary'];
const trace = readTrace('t', recordsOf([0, 0, 100], [0, 1, 1000], [1, 0, 0], [0, 2, 10]));
const stops: (() => Promise<void>)[] = [];

function start(host: FakeHost, name: ContainerName, lines?: AsyncIterable<string>) {
  const stopping = new AbortController();
  const client = host.client(name);
  const out = collect();
  const running = containerPrograms[name]({
    client,
    signal: stopping.signal,
    report: out.report,
    traces: async () => trace,
    ...(lines === undefined ? {} : { commands: () => lines }),
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  stops.push(stop);
  return { client, out, stop };
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe.each(Object.keys(containerPrograms) as ContainerName[])('%s', (name) => {
  it('gets ready, reports progress and stops', async () => {
    const { out, stop } = start(new FakeHost(pools), name);
    await until('progress', () => out.of('progress').length > 0);
    expect(out.of('ready')).toHaveLength(1);
    expect(out.of('error')).toEqual([]);
    const keys = ['allocations', 'frees', 'failures', 'liveBytes', 'bytesShared', 'bytesCopied', 'segments'];
    expect(Object.keys(out.of('progress')[0] ?? {})).toEqual(expect.arrayContaining(keys));
    await stop();
  });

  it('lives without memory', async () => {
    const { out } = start(new FakeHost(pools, 0), name);
    await until('progress', () => out.of('progress').length > 0);
    if (name !== 'sandbox') expect(out.of('error')[0]).toMatchObject({ code: 'over_budget' });
  });
});

it('the engines read what market-data publishes', async () => {
  const host = new FakeHost(pools);
  const market = start(host, 'market-data');
  await until('the ring', () => market.out.of('ready').length > 0);
  const engines = (['analytics-engine', 'risk-engine', 'ml-engine'] as const).map((name) =>
    start(host, name),
  );
  for (const { out } of engines) {
    await until('progress', () => out.of('progress').length > 0);
    expect(out.of('verified')).toHaveLength(1);
    expect(out.of('progress')[0]).toMatchObject({ checksumErrors: 0, framesTorn: 0 });
    expect(Number(out.of('progress')[0]?.['framesVerified'])).toBeGreaterThan(20);
  }
});

describe('analytics-engine', () => {
  it('gives its windows back when it is asked', async () => {
    const { client, out } = start(new FakeHost(pools), 'analytics-engine');
    await until('ready', () => out.of('ready').length > 0);
    expect(await client.askForMemory('trim')).toBe(0);
    expect(await client.askForMemory('everything')).toBe(1024 ** 2);
    expect(out.of('released').map(({ degree, freedBytes }) => [degree, freedBytes])).toEqual([
      ['trim', 0],
      ['everything', 256 * 1024],
    ]);
  });
});

describe('sandbox', () => {
  it('takes all there is, says what was refused, and gives back what was not leaked', async () => {
    const mebibyte = 1024 ** 2;
    async function* lines() {
      yield '{"do":"leak","bytesPerSecond":20000}';
      await until('a leak', () => Number(client.counted.allocations) > 0);
      yield '{"do":"leak","bytesPerSecond":0}';
      yield 'what?';
      yield `{"do":"lease","bytes":${mebibyte}}`;
      yield '{"do":"hog"}';
    }
    const { client, out } = start(new FakeHost(pools, 40 * mebibyte), 'sandbox', lines());
    await until('the refusal', () => out.of('error').length === 2);
    expect(out.of('error')[0]).toMatchObject({ code: 'invalid_command' });
    expect(out.of('error')[1]).toMatchObject({
      code: 'over_budget',
      asked: 4 * mebibyte,
      granted: 38 * mebibyte,
      available: 2 * mebibyte,
      heldBytes: 37 * mebibyte,
    });
    expect(await client.askForMemory('shrink')).toBe(37 * mebibyte);
    await until('progress', () => Number(out.of('progress').at(-1)?.['leakedBytes']) > 0);
    expect(out.of('progress').at(-1)).toMatchObject({ failures: 1 });
  });
});
