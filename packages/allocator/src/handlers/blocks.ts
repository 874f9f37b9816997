/** `block.*`: allocation for clients that speak NATS and nothing else. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, ok } from '@nautilus/contracts';
import type { Agent } from '../agent.ts';

const mostBlocks = 1000;

export function allocateBlockEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.allocateBlock,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => agent.kept.allocate(party, body.pool, body.bytes, body.alignmentBytes),
  });
}

export function freeBlockEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.freeBlock,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => agent.kept.free(party, body.block),
  });
}

export function describeBlocksEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.describeBlocks,
    host: agent.host,
    party: '*',
    handle: (body, { party }) => ok(agent.kept.describe(party, body.after, mostBlocks)),
  });
}
