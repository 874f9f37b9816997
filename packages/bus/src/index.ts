/** The only package that knows NATS. */
export * from './bus.ts';
export { type Clock, systemClock } from './clock.ts';
export { connectBus } from './connect.ts';
export { connectConfigured, tlsOf } from './connect-configured.ts';
export type { FramePart } from './data.ts';
export { assertServer, type Feature, featureTable, isAtLeast } from './features.ts';
export type { JobInfo, Worker, WorkQueue, WorkQueueOptions } from './jobs.ts';
export { createNkey, type Nkey, publicKeyOf } from './keys.ts';
export type { LeaderLease, LeaderLeaseOptions } from './leader.ts';
export type { BusLog } from './log.ts';
export type { InputOf, OutputOf, Schema } from './schema.ts';
export {
  type Endpoint,
  endpoint,
  type RequestContext,
  type ServedService,
  type ServiceDefinition,
} from './serve.ts';
export { generateServerConfig, type ServerConfigInput, type ServerUser } from './server-config.ts';
export type { Change, Store, Stored, Watch, WatchOptions } from './store.ts';
