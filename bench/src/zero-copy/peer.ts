/** The other process of the benchmark: `peer.ts <socket> <what>`. It does what the measuring process asks, and ends with it. */

import { connectBus } from '@nautilus/bus';
import { mapSegment } from '@nautilus/native';
import { pingPong, publishTo, readAll, subscribeOn } from './ends.ts';
import { everyone } from './throughput.ts';
import { reach, type Wire } from './wire.ts';

const [path = '', what = ''] = process.argv.slice(2);
/** A peer that nobody feeds any more ends by itself. */
const patienceMs = 60_000;

/** Sends every frame back as one of its own that begins with the same byte, or has it everywhere. */
async function echo(wire: Wire, spins: boolean): Promise<void> {
  if (spins) await count(wire);
  const { body } = await wire.receive();
  using taking = await subscribeOn(wire);
  const { subscription } = taking;
  using end = await publishTo([wire], pingPong(Number(body['frameBytes'])));
  const { publisher } = end;
  const fills = body['fills'] === true;
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const message = spins ? subscription.takeSpinning(deadlineMs) : await awaited();
    if (message === null) break;
    const first = message.bytes[0] as number;
    const { length } = message;
    if (fills && !readAll(message.bytes)) break;
    message.release();
    const frame = publisher.loan();
    if (frame === null) throw new Error('no frame to answer with');
    if (fills) frame.bytes.fill(first);
    else frame.bytes[0] = first;
    publisher.publish(frame, length);
  }

  async function awaited() {
    for (;;) {
      const message = subscription.take();
      if (message !== null || subscription.ended !== null) return message;
      await subscription.wait({ timeoutMs: patienceMs });
    }
  }
}

/** One word up, one word back: the least that two processes can say to each other. */
async function count(wire: Wire): Promise<void> {
  const { body, descriptors } = await wire.receive();
  const [segment] = descriptors;
  if (segment === undefined) throw new Error('no segment came');
  const words = new Int32Array(mapSegment(segment, { access: 'read-write' }).view(0, 4096).buffer, 0, 1024);
  const rounds = Number(body['rounds']);
  wire.send({ ready: true });
  for (let round = 1; round <= rounds; round += 1) {
    while (Atomics.load(words, 0) !== round);
    Atomics.store(words, 512, round);
  }
}

/** Holds each frame while the publisher writes into its own mapping of it, and tells what it sees. */
async function hold(wire: Wire): Promise<void> {
  using taking = await subscribeOn(wire);
  const { subscription } = taking;
  for await (const message of subscription) {
    const at = Number((await wire.receive()).body['at']);
    wire.send({ value: message.bytes[at] });
    await wire.receive();
    wire.send({ value: message.bytes[at] });
    message.release();
  }
}

/** Takes frames until the channel closes; says how many came whole. */
async function take(wire: Wire): Promise<void> {
  using taking = await subscribeOn(wire);
  const { subscription } = taking;
  wire.send({ ready: true });
  let frames = 0;
  for await (const message of subscription) {
    frames += isWhole(message.bytes, frames) ? 1 : 0;
    message.release();
  }
  wire.send({ frames, dropped: subscription.dropped });
}

/** The same over NATS. */
async function hear(wire: Wire): Promise<void> {
  const { body } = await wire.receive();
  const bus = await connectBus({ servers: String(body['url']), name: `bench-${process.pid}` });
  const wanted = Number(body['frames']);
  let frames = 0;
  let begun = -1;
  await new Promise<void>((resolve, reject) => {
    bus
      .subscribeData(everyone, ({ part, parts, sequence }, bytes) => {
        // Parts are not joined, which would cost more: the number stands in the first and in the last one.
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        if (part === 0) begun = view.getUint32(0, true);
        if (part !== parts - 1) return;
        frames += begun === sequence && view.getUint32(bytes.length - 4, true) === sequence ? 1 : 0;
        if (frames === wanted) resolve();
      })
      .then(() => bus.flush())
      .then(() => wire.send({ ready: true }), reject);
  });
  wire.send({ frames });
  await bus.close();
}

/** The number of the frame stands in its first and in its last four bytes. */
function isWhole(bytes: Uint8Array, number: number): boolean {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return view.getUint32(0, true) === number && view.getUint32(length - 4, true) === number;
}

using wire = await reach(path);
if (what === 'echo-spinning') await echo(wire, true);
else if (what === 'echo-waiting') await echo(wire, false);
else if (what === 'hold') await hold(wire);
else if (what === 'take') await take(wire);
else if (what === 'hear') await hear(wire);
else throw new Error(`peer: nothing is called "${what}"`);
// What was sent last must arrive before the socket ends.
await new Promise((resolve) => setTimeout(resolve, 50));
process.exit(0);
