/** What JetStream itself says of a stream, through a connection of its own that leaves no trace in the bus under test. */
import { jetstreamManager, type StreamState } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsServer } from './nats-server.ts';

export async function streamState(nats: NatsServer, stream: string): Promise<StreamState> {
  const nc = await connect({ servers: nats.url });
  try {
    return (await (await jetstreamManager(nc)).streams.info(stream)).state;
  } finally {
    await nc.close();
  }
}
