/** Frames of 1 MiB to three processes: through a channel in place, and the same frames over NATS. */
import { connectBus } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { atLeast, type Figure, plain } from '../figure.ts';
import { publishTo } from './ends.ts';
import { startPeers } from './peers.ts';

const frameBytes = 2 ** 20;
const subscribers = 3;
const leastRatio = 20;
/** A message of 1 MiB with a header is more than a server takes that nobody configured. */
const parts = 2;
const partBytes = frameBytes / parts;
/** One subject for all three: the server makes the copies, which is the best case for NATS. */
export const everyone = { host: 'bench', publisher: 'bench', subscriber: 'all', channel: 'frames' };

/** What a market-data frame would be made of; its number is written into both ends. */
const source = Uint8Array.from({ length: frameBytes }, (_, at) => at * 31);

function number(bytes: Uint8Array, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(0, value, true);
  view.setUint32(bytes.length - 4, value, true);
}

/** Frames a second, the filling of each frame included. */
async function throughChannel(frames: number): Promise<number> {
  await using peers = await startPeers('take', subscribers);
  using end = await publishTo(peers.wires, {
    entries: 16,
    loans: 1,
    maxSubscribers: subscribers,
    maxHeld: 2,
    frameBytes,
    policy: 'block',
  });
  const { publisher } = end;
  for (const wire of peers.wires) await wire.receive();
  const startedAt = performance.now();
  for (let sent = 0; sent < frames; sent += 1) {
    const frame = publisher.loan();
    if (frame === null) throw new Error('no frame to send');
    frame.bytes.set(source);
    number(frame.bytes, sent);
    if (!publisher.tryPublish(frame, frameBytes)) await publisher.publishWaiting(frame, frameBytes);
  }
  publisher.close();
  const taken = await Promise.all(peers.wires.map((wire) => wire.receive()));
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { body } of taken)
    if (body['frames'] !== frames)
      throw new Error(`a subscriber took ${JSON.stringify(body)} of ${frames} frames`);
  return frames / seconds;
}

async function throughNats(frames: number): Promise<number> {
  await using nats = await startNats();
  await using peers = await startPeers('hear', subscribers);
  for (const wire of peers.wires) wire.send({ url: nats.url, frames });
  for (const wire of peers.wires) await wire.receive();
  const bus = await connectBus({ servers: nats.url, name: 'bench' });
  const startedAt = performance.now();
  for (let sent = 0; sent < frames; sent += 1) {
    number(source, sent);
    for (let part = 0; part < parts; part += 1) {
      const header = { stream: 'bench', sequence: sent, part, parts, length: frameBytes };
      bus.publishData(everyone, header, source.subarray(part * partBytes, (part + 1) * partBytes));
    }
    // Otherwise the server cuts a connection that it cannot drain.
    if (sent % 8 === 7) await bus.flush();
  }
  const heard = await Promise.all(peers.wires.map((wire) => wire.receive()));
  const seconds = (performance.now() - startedAt) / 1000;
  await bus.close();
  for (const { body } of heard)
    if (body['frames'] !== frames)
      throw new Error(`a subscriber heard ${JSON.stringify(body)} of ${frames} frames`);
  return frames / seconds;
}

export async function benchThroughput(quick: boolean): Promise<Figure[]> {
  const inPlace = await throughChannel(quick ? 2_000 : 20_000);
  const overNats = await throughNats(quick ? 100 : 500);
  return [
    plain('1 MiB frames to 3 processes, over NATS', overNats, 'frames/s'),
    plain('1 MiB frames to 3 processes, in place', inPlace, 'frames/s'),
    { ...atLeast('in place against NATS', inPlace / overNats, '×', leastRatio), baseline: overNats },
  ];
}
