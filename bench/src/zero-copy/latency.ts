/** How long a frame takes from one process to another: to a peer that looks all the time, and to one that sleeps. */
import { createSegment, mapSegment } from '@nautilus/native';
import { atMost, because, type Figure, plain, quantile, ratioAtMost } from '../figure.ts';
import { pingPong, publishTo, readAll, subscribeOn } from './ends.ts';
import { startPeers } from './peers.ts';
import type { Wire } from './wire.ts';

export interface Sizes {
  readonly name: string;
  readonly bytes: number;
}

export const sizes: readonly Sizes[] = [
  { name: '64 B', bytes: 64 },
  { name: '4 KiB', bytes: 4096 },
  { name: '256 KiB', bytes: 262_144 },
  { name: '1 MiB', bytes: 2 ** 20 },
  { name: '64 MiB', bytes: 2 ** 26 },
];

/** What the user's own work with a frame costs beside. */
const filledSizes = [
  ['64 KiB', 65_536],
  ['1 MiB', 2 ** 20],
] as const;

/** Until the engine has compiled both ends for good. */
const warmUpRounds = 20_000;
const patienceMs = 10_000;
const mostSpinningNs = 400;
const mostAboveCounter = 2.5;
/**
 * Flat: the payload is not touched but for a byte, so its size is no work. In counters, because a virtual machine's
 * processors are moved while this runs, and then everything takes two to four times as long.
 */
const mostOverSizes = 1.5;
const mostWokenNs = 60_000;

interface Rounds {
  readonly frameBytes: number;
  readonly count: number;
  readonly spins: boolean;
  /** Both sides write and read every byte; else the first one, so that what is measured is the channel. */
  readonly fills?: boolean;
}

/** Both ways together: a frame there, a frame back. Nanoseconds of one way, one sample a round. */
async function rounds(wire: Wire, { frameBytes, count, spins, fills = false }: Rounds): Promise<number[]> {
  wire.send({ frameBytes, fills });
  using end = await publishTo([wire], pingPong(frameBytes));
  const { publisher } = end;
  using taking = await subscribeOn(wire);
  const { subscription } = taking;
  const samples: number[] = [];
  const warmUp = fills ? count : warmUpRounds;
  let startedAt = performance.now();
  for (let round = -warmUp; round < count; round += 1) {
    const frame = publisher.loan();
    if (frame === null) throw new Error('no frame to send');
    if (fills) frame.bytes.fill(round & 255);
    else frame.bytes[0] = round & 255;
    publisher.publish(frame, frameBytes);
    const deadlineMs = startedAt + patienceMs;
    while (!spins && !(await subscription.wait({ timeoutMs: patienceMs })));
    const message = subscription.takeSpinning(deadlineMs);
    if (message === null) throw new Error(`no answer within ${patienceMs} ms`);
    if (message.bytes[0] !== (round & 255) || message.length !== frameBytes)
      throw new Error(`round ${round}: another frame came back`);
    if (fills && !readAll(message.bytes)) throw new Error(`round ${round}: a frame is not whole`);
    message.release();
    const endedAt = performance.now();
    if (round >= 0) samples.push(((endedAt - startedAt) * 1e6) / 2);
    startedAt = endedAt;
  }
  publisher.close();
  return samples;
}

/** Between the same two processes, so that both are where the scheduler put them: that makes it fast or slow. */
async function counterRounds(wire: Wire, count: number): Promise<number[]> {
  using segment = createSegment({ name: 'bench-counter', bytes: 4096 });
  const words = new Int32Array(mapSegment(segment, { access: 'read-write' }).view(0, 4096).buffer, 0, 1024);
  const warmUp = warmUpRounds;
  wire.send({ rounds: count + warmUp }, [segment]);
  await wire.receive();
  const samples: number[] = [];
  let startedAt = performance.now();
  for (let round = 1; round <= count + warmUp; round += 1) {
    Atomics.store(words, 0, round);
    while (Atomics.load(words, 512) !== round);
    const endedAt = performance.now();
    if (round > warmUp) samples.push(((endedAt - startedAt) * 1e6) / 2);
    startedAt = endedAt;
  }
  return samples;
}

export async function benchLatency(quick: boolean): Promise<Figure[]> {
  const count = quick ? 5_000 : 100_000;
  const figures: Figure[] = [];
  const aboveCounter: number[] = [];
  for (const { name, bytes } of sizes) {
    await using peers = await startPeers('echo-spinning');
    const [wire] = peers.wires as [Wire];
    const bare = quantile(await counterRounds(wire, count), 0.5);
    const samples = await rounds(wire, { frameBytes: bytes, count, spins: true });
    const middle = quantile(samples, 0.5);
    aboveCounter.push(middle / bare);
    figures.push(
      because(
        atMost(`one way, spinning, ${name}, p50`, middle, 'ns', mostSpinningNs),
        `a bare counter alone takes ${bare.toFixed(0)} ns between these two cores`,
      ),
      plain(`one way, spinning, ${name}, p99.9`, quantile(samples, 0.999), 'ns'),
      ratioAtMost(`one way, spinning, ${name}, against a bare counter`, middle, bare, 'ns', mostAboveCounter),
    );
  }
  figures.push(
    ratioAtMost(
      'one way, spinning, slowest of the sizes against the fastest, each in counters of its run',
      Math.max(...aboveCounter),
      Math.min(...aboveCounter),
      'counters',
      mostOverSizes,
    ),
  );
  for (const [name, bytes] of filledSizes) {
    await using peers = await startPeers('echo-spinning');
    const [wire] = peers.wires as [Wire];
    await counterRounds(wire, 1);
    const counted = Math.ceil(count / 50);
    const samples = await rounds(wire, { frameBytes: bytes, count: counted, spins: true, fills: true });
    figures.push(
      plain(`one way, spinning, ${name}, every byte written and read, p50`, quantile(samples, 0.5), 'ns'),
    );
  }
  for (const { name, bytes } of sizes.filter(({ bytes }) => bytes === 64 || bytes === 2 ** 20)) {
    await using peers = await startPeers('echo-waiting');
    const samples = await rounds(peers.wires[0] as Wire, {
      frameBytes: bytes,
      count: Math.ceil(count / 20),
      spins: false,
    });
    figures.push(
      atMost(`one way, woken, ${name}, p50`, quantile(samples, 0.5), 'ns', mostWokenNs),
      plain(`one way, woken, ${name}, p99.9`, quantile(samples, 0.999), 'ns'),
    );
  }
  return figures;
}
