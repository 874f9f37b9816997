/** Every request the agent answers: one file and one line each. */
import type { Endpoint } from '@nautilus/bus';
import type { Agent } from '../agent.ts';
import { allocateBlockEndpoint, describeBlocksEndpoint, freeBlockEndpoint } from './blocks.ts';
import {
  closeChannelEndpoint,
  leaveChannelEndpoint,
  listChannelsEndpoint,
  openChannelEndpoint,
} from './channels.ts';
import { cleanUpEndpoint } from './clean-up.ts';
import { describeEndpoint } from './describe.ts';
import { extendEndpoint } from './extend.ts';
import { grantEndpoint } from './grant.ts';
import { hostEndpoint } from './host.ts';
import { joinChannelEndpoint, type PublisherBus } from './join-channel.ts';
import { leaseEndpoint } from './lease.ts';
import { openEndpoint } from './open.ts';
import { releaseEndpoint } from './release.ts';
import { revokeEndpoint } from './revoke.ts';
import { listSegmentsEndpoint, mapSegmentEndpoint } from './segment-map.ts';

export const handlers: readonly ((agent: Agent, bus: PublisherBus) => Endpoint)[] = [
  leaseEndpoint,
  extendEndpoint,
  releaseEndpoint,
  grantEndpoint,
  revokeEndpoint,
  openEndpoint,
  describeEndpoint,
  allocateBlockEndpoint,
  freeBlockEndpoint,
  describeBlocksEndpoint,
  openChannelEndpoint,
  joinChannelEndpoint,
  leaveChannelEndpoint,
  closeChannelEndpoint,
  listChannelsEndpoint,
  cleanUpEndpoint,
  listSegmentsEndpoint,
  mapSegmentEndpoint,
  hostEndpoint,
];
