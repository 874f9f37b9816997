/** A lease that lives for two seconds instead of five, so that tests of its expiry are quick. */
import { buckets } from '@nautilus/contracts';

export const shortLease = { ...buckets.lease, name: 'short-lease', ttlMs: 2_000 };
