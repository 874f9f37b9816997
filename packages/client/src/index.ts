/** What a container links. */
export type { BusLog } from '@nautilus/bus';
export type { AlertBody, Tier } from '@nautilus/contracts';
export { NautilusError } from '@nautilus/contracts';
export type { PublisherFrame, SlowPolicy } from '@nautilus/native';
export { Block } from './block.ts';
export type { ChannelName } from './channel/channels.ts';
export type { Codec } from './channel/codec.ts';
export { Publisher, type PublisherStats } from './channel/publisher.ts';
export type { PublishOptions } from './channel/publishers.ts';
export type { SubscribeOptions } from './channel/subscribers.ts';
export type { ChannelMessage, Subscription, Waiting, WaitingOptions } from './channel/subscription.ts';
export { NautilusClient } from './client.ts';
export type { ClientBus } from './client-bus.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Loss } from './context.ts';
export type { DescribeResponse } from './control.ts';
export type { ClientStats } from './counters.ts';
export { GrantedSegment } from './granted-segment.ts';
export { Pool, type PoolOptions, type SegmentFigures } from './pool.ts';
export type { PressureOptions } from './pressure.ts';
export type { ReadonlyBytes } from './read-only-bytes.ts';
export type { OpenOptions } from './readers.ts';
export type { ReleaseHandler, ReleaseRequest } from './release-commands.ts';
export type { StackMark } from './stack-mark.ts';
export {
  attachPool,
  type BlockName,
  type SharedPool,
  type WorkerBlock,
  WorkerPool,
} from './worker-pool.ts';
