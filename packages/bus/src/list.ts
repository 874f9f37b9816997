/**
 * Every key of a bucket with its newest value: the subjects by name, then one read each. A consumer that delivers the
 * last of every subject would be one request, but it miscounts what is left when a key is replaced meanwhile (seen
 * on 2.9.10), and a list that ends early takes a key that is there for one that is gone.
 */
import type { Bucket } from '@nautilus/contracts';
import { classify } from './classify.ts';
import type { Entry } from './feed.ts';
import type { Link } from './link.ts';
import { bucketStream } from './streams.ts';

export interface Listing {
  /** Keys that the stream leader knows of, deleted ones with their marker included. */
  readonly names: ReadonlySet<string>;
  readonly entries: readonly Entry[];
}

/** Reads under way at once; more only fills the server's queue. */
const readsAtOnce = 128;

export async function listBucket(link: Link, bucket: Bucket, filter: string): Promise<Listing> {
  const stream = bucketStream(bucket);
  const prefix = `$KV.${bucket.name}.`;
  try {
    const manager = await link.manager();
    const info = await link.orLost(manager.streams.info(stream, { subjects_filter: `${prefix}${filter}` }));
    const subjects = Object.keys(info.state.subjects ?? {});
    const entries: Entry[] = [];
    let next = 0;
    const read = async (): Promise<void> => {
      for (let subject = subjects[next++]; subject !== undefined; subject = subjects[next++]) {
        const found = await link.orLost(manager.direct.getMessage(stream, { last_by_subj: subject }));
        // Expired since the list, or not yet known to the replica that answered.
        if (found === null) continue;
        const operation = found.header.get('KV-Operation');
        const isMarker = operation === 'DEL' || operation === 'PURGE';
        entries.push({
          key: subject.slice(prefix.length),
          revision: found.seq,
          data: isMarker ? null : found.data,
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(readsAtOnce, subjects.length) }, read));
    return { names: new Set(subjects.map((subject) => subject.slice(prefix.length))), entries };
  } catch (error) {
    throw classify(error, `the list of "${bucket.name}"`);
  }
}
