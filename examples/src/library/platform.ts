/**
 * What the containers use of the client library, as shapes: a `NautilusClient` fits them, and so does the fake that the
 * tests hand in.
 */
import type { Block, GrantedSegment, NautilusClient, Pool, ReadonlyBytes } from '@nautilus/client';

export type { ReadonlyBytes };

export type Memory = Pick<Block, 'segment' | 'offset' | 'length' | 'view' | 'free'>;

export interface MemoryPool extends Pick<Pool, 'mark' | 'rewind' | 'reserve' | 'trim'> {
  allocate(...args: Parameters<Pool['allocate']>): Promise<Memory>;
  tryAllocate(...args: Parameters<Pool['tryAllocate']>): Memory | null;
  grant(segment: string, to: string, options?: { signal?: AbortSignal }): Promise<unknown>;
}

export type SharedMemory = Pick<
  GrantedSegment,
  'segment' | 'owner' | 'bytes' | 'copied' | 'ended' | 'onEnd' | 'view' | 'close'
>;

export interface Platform
  extends Pick<NautilusClient, 'describe' | 'onLost' | 'onPressure' | 'onRelease' | 'stats'> {
  pool(...args: Parameters<NautilusClient['pool']>): MemoryPool;
  open(...args: Parameters<NautilusClient['open']>): Promise<SharedMemory>;
}
