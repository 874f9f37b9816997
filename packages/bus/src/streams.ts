/**
 * Streams and buckets as their contracts say. What exists with other settings is reported, never changed: a lease
 * bucket with another time to live would elect two leaders.
 */
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { type Bucket, NautilusError, type Stream } from '@nautilus/contracts';
import { classify } from './classify.ts';
import { pause } from './clock.ts';
import { assertServer } from './features.ts';
import type { Link } from './link.ts';

const twoMinutesMs = 120_000;
/** "stream name already in use with a different configuration": someone made it a moment ago, otherwise. */
const nameInUse = 10_058;

type Wanted = Partial<StreamConfig> & { name: string };

export function bucketStream(bucket: Bucket): string {
  return `KV_${bucket.name}`;
}

/** ADR-8's layout of a bucket, history of one. */
function bucketConfig(bucket: Bucket, replicas: number): Wanted {
  return {
    name: bucketStream(bucket),
    description: bucket.summary,
    subjects: [`$KV.${bucket.name}.>`],
    retention: RetentionPolicy.Limits,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    storage: StorageType.File,
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: true,
    max_age: nanos(bucket.ttlMs ?? 0),
    duplicate_window: nanos(Math.min(bucket.ttlMs ?? twoMinutesMs, twoMinutesMs)),
  };
}

function streamConfig(stream: Stream, replicas: number): Wanted {
  return {
    name: stream.name,
    description: stream.summary,
    subjects: [...stream.subjects],
    retention: stream.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    num_replicas: replicas,
    max_age: nanos(stream.maximumAgeMs),
    max_bytes: stream.maximumBytes,
    duplicate_window: nanos(Math.min(stream.maximumAgeMs, twoMinutesMs)),
  };
}

/** Settings that change what the system may rely on. Replicas, limits of size and texts are the operator's. */
const binding = [
  'subjects',
  'retention',
  'max_age',
  'max_msgs_per_subject',
  'allow_direct',
  'storage',
] as const;

export function mismatch(wanted: Partial<StreamConfig>, found: Partial<StreamConfig>): string[] {
  const differences: string[] = [];
  for (const key of binding) {
    const want = wanted[key];
    if (want === undefined) continue;
    const have = found[key];
    if (JSON.stringify(have) !== JSON.stringify(want))
      differences.push(`${key} is ${JSON.stringify(have)}, wanted ${JSON.stringify(want)}`);
  }
  return differences;
}

export function ensureBucket(link: Link, bucket: Bucket): Promise<StreamInfo> {
  assertServer(link.nc.info?.version ?? '', ['jetstream', 'kv']);
  return ensure(link, bucketConfig(bucket, link.options.replicas), `bucket "${bucket.name}"`);
}

export function ensureStream(link: Link, stream: Stream): Promise<StreamInfo> {
  assertServer(link.nc.info?.version ?? '', ['jetstream']);
  return ensure(link, streamConfig(stream, link.options.replicas), `stream "${stream.name}"`);
}

async function ensure(link: Link, wanted: Wanted, what: string): Promise<StreamInfo> {
  link.assertUsable(what);
  let found: StreamInfo;
  try {
    const manager = await link.manager();
    found = (await find(manager, wanted.name)) ?? (await make(link, manager, wanted, what));
  } catch (error) {
    throw classify(error, what);
  }
  const differences = mismatch(wanted, found.config);
  if (differences.length === 0) return found;
  throw new NautilusError({
    code: 'config_invalid',
    message: `${what} exists with other settings: ${differences.join('; ')}. Remove it (nats stream rm ${wanted.name}) or edit it, with every service stopped`,
    details: { stream: wanted.name, differences },
  });
}

async function find(manager: JetStreamManager, name: string): Promise<StreamInfo | null> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return null;
    throw error;
  }
}

async function make(
  link: Link,
  manager: JetStreamManager,
  wanted: Wanted,
  what: string,
): Promise<StreamInfo> {
  try {
    const made = await manager.streams.add(wanted);
    link.log.info({ stream: wanted.name }, `bus: made ${what}`);
    return made;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === nameInUse)
      return manager.streams.info(wanted.name);
    throw error;
  }
}

const restoreTries = 6;
const firstRestoreDelayMs = 200;

/** After a reconnect: JetStream of a cluster may need some seconds longer than the connection. */
export async function restore(link: Link, ensureAgain: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ensureAgain();
      return;
    } catch (error) {
      const hopeless = error instanceof NautilusError && error.code === 'config_invalid';
      if (hopeless || tries === restoreTries || link.state !== 'connected' || link.closing) throw error;
      link.log.warn({ error, tries }, 'bus: a bucket or stream is not there yet after a reconnect');
    }
    await pause(firstRestoreDelayMs * 2 ** tries);
  }
}
