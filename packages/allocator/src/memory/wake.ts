/**
 * The descriptor that a reader signals when it wants to wake a segment's owner. It comes from a container: only what
 * can wake and nothing else is taken, because it is handed on to others.
 */
import { fail, ok, type Result } from '@nautilus/contracts';
import { type Descriptor, isWakeDescriptor } from '@nautilus/native';
import type { Lease } from './lease.ts';
import type { SegmentTable } from './table.ts';

/** On success the descriptor is the lease's; otherwise it stays the caller's. */
export function attachWake(
  table: SegmentTable,
  lease: Lease,
  wake: Descriptor | undefined,
  mostDescriptors: number,
): Result<null> {
  if (wake === undefined)
    return fail('protocol_violation', `attach-wake of ${lease.segment} came without a descriptor`);
  if (lease.wake !== null)
    return fail('conflict', `${lease.segment} has a wake descriptor already; it lives as long as the lease`);
  if (lease.state !== 'mapped')
    return fail('not_ready', `${lease.segment} is ${lease.state}; map it before attaching a wake descriptor`);
  if (!isWakeDescriptor(wake))
    return fail('invalid_request', `what came for ${lease.segment} is not the sending end of a wake`);
  if (table.descriptorsOf(lease.container) >= mostDescriptors)
    return fail(
      'descriptors_exhausted',
      `container ${lease.container} has ${mostDescriptors} descriptors here, its share; release segments first`,
    );
  table.keepWake(lease, wake);
  return ok(null);
}
