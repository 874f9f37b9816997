/** That nothing is copied: a byte that changes in the publisher's mapping changes in a message that another process holds. */
import { atMost, type Figure } from '../figure.ts';
import { pingPong, publishTo } from './ends.ts';
import { startPeers } from './peers.ts';
import type { Wire } from './wire.ts';

const frameBytes = 2 ** 20;
const rounds = 64;

export async function benchProof(): Promise<Figure[]> {
  await using peers = await startPeers('hold');
  const [wire] = peers.wires as [Wire];
  using end = await publishTo([wire], pingPong(frameBytes));
  const { publisher } = end;
  let copied = 0;
  for (let round = 0; round < rounds; round += 1) {
    const frame = publisher.loan();
    if (frame === null) throw new Error('no frame to send');
    // Another place each time, so that all of a frame is looked at and not its first page alone.
    const at = (round * 16_411) % frameBytes;
    frame.bytes[at] = 1;
    publisher.publish(frame, frameBytes);
    wire.send({ at });
    const held = (await wire.receive()).body['value'];
    // Nobody but this proof writes into a frame that it has published.
    frame.bytes[at] = 2;
    wire.send({});
    const after = (await wire.receive()).body['value'];
    if (held !== 1) throw new Error(`round ${round}: ${String(held)} came instead of 1`);
    copied += after === 2 ? 0 : frameBytes;
  }
  publisher.close();
  return [atMost(`bytes copied of ${rounds} frames of 1 MiB`, copied, 'B', 0)];
}
