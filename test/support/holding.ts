/** A segment held by hand: leased over NATS, exchanged on a socket, mapped. What the client library does, step by step. */
import type { Bus } from '@nautilus/bus';
import { exchanges } from '@nautilus/contracts';
import { type Descriptor, type Mapping, mapSegment } from '@nautilus/native';
import { Peer } from './peer.ts';

export interface Holding extends AsyncDisposable {
  readonly segment: string;
  readonly secret: string;
  readonly peer: Peer;
  readonly descriptors: readonly Descriptor[];
  readonly mapping: Mapping;
}

export async function hold(
  bus: Bus,
  container: string,
  request: { pool: string; bytes: number; ttlMs?: number },
  options: { host?: string; confirm?: boolean } = {},
): Promise<Holding> {
  const lease = await bus.request(
    exchanges.leaseSegment,
    { host: options.host ?? 'h1', party: container },
    request,
  );
  return take(container, lease, 'read-write', options.confirm ?? true);
}

/** Opens what was granted. */
export async function read(bus: Bus, container: string, segment: string, host = 'h1'): Promise<Holding> {
  const opened = await bus.request(exchanges.openSegment, { host, party: container }, { segment });
  return take(container, opened, opened.access, false);
}

async function take(
  container: string,
  lease: { segment: string; socketPath: string; ticket: string },
  access: 'read-write' | 'read-only',
  confirm: boolean,
): Promise<Holding> {
  const peer = await Peer.connect(lease.socketPath);
  const { reply, descriptors } = await peer.redeem(container, lease.ticket);
  if (reply.type !== 'segment') {
    peer.connection.close();
    throw new Error(`no segment: ${JSON.stringify(reply)}`);
  }
  const mapping = mapSegment(descriptors[0] as Descriptor, { access });
  if (confirm) await peer.ask({ type: 'mapped', id: 1, segment: lease.segment });
  return {
    segment: lease.segment,
    secret: reply.secret,
    peer,
    descriptors,
    mapping,
    async [Symbol.asyncDispose]() {
      mapping.close();
      for (const descriptor of descriptors) descriptor.close();
      await peer[Symbol.asyncDispose]();
    },
  };
}
