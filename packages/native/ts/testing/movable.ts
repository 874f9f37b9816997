// Test support: movable arenas in memory of their own, and blocks whose bytes say what was written there.

import { createMovableArena } from '../create-movable-arena.ts';
import type { MovableArena, MovableStrategyName } from '../movable-arena.ts';
import { createSegment, mapSegment } from '../segment.ts';

export const kib = 1024;
export const granule = 64;

export function mapNew(bytes: number) {
  using segment = createSegment({ name: 'movable', bytes });
  return mapSegment(segment, { access: 'read-write' });
}

export function movable(strategy: MovableStrategyName, bytes: number) {
  const payload = mapNew(bytes);
  return { payload, arena: createMovableArena({ strategy, bytes, payload }) };
}

export function expected(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = seed * 31 + at * 7 + (at >>> 8);
  return bytes;
}

export function fill(arena: MovableArena, handle: number, seed: number): void {
  arena.use(handle, (bytes) => bytes.set(expected(seed, bytes.length)));
}

export function holds(arena: MovableArena, handle: number, seed: number): boolean {
  return arena.use(handle, (bytes) => Buffer.compare(bytes, expected(seed, bytes.length)) === 0);
}

export function compactAll(arena: MovableArena): void {
  while (arena.compact().more);
}
