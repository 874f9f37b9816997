/** `segment.list` and `segment.map`: what the operator sees of segments. Only ledgers are read, never a payload. */
import { type Endpoint, endpoint } from '@nautilus/bus';
import { exchanges, fail, mostReadBlocks, ok } from '@nautilus/contracts';
import { readSegmentMap } from '@nautilus/native';
import type { Agent } from '../agent.ts';
import type { Lease } from '../memory/lease.ts';
import { describeLease } from './describe.ts';

const mostSegments = 500;

export function listSegmentsEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.listSegments,
    host: agent.host,
    party: 'agent',
    handle: ({ pool, container, after }) => {
      if (pool !== undefined) {
        const known = agent.accounts.pool(pool);
        if (!known.ok) return known;
      }
      const found = [...agent.table.leases.values()]
        .filter(
          (lease) =>
            (pool === undefined || lease.pool === pool) &&
            (container === undefined || lease.container === container) &&
            (after === undefined || lease.segment > after),
        )
        .sort((a, b) => (a.segment < b.segment ? -1 : 1));
      const segments = found
        .slice(0, mostSegments)
        .map((lease) => describeLease(agent, lease, lease.container));
      return ok({ segments, truncated: found.length > mostSegments });
    },
  });
}

export function mapSegmentEndpoint(agent: Agent): Endpoint {
  return endpoint({
    contract: exchanges.mapSegment,
    host: agent.host,
    party: 'agent',
    concurrency: 1,
    handle: ({ segment, cells, most, from }) => {
      const lease = agent.table.leases.get(segment);
      if (lease === undefined)
        return fail('unknown_segment', `no segment ${segment} is leased on host ${agent.host}`);
      const map = readMap(lease);
      if (map === null) {
        return fail(
          'not_ready',
          lease.mode === 'kept'
            ? `segment ${segment} is kept by the agent, whose books are no ledger: ask block.describe as ${lease.container}`
            : `segment ${segment} has no ledger to read: its owner has not said that it mapped it`,
        );
      }
      const cellBytes = cells === 0 ? 0 : Math.ceil(lease.bytes / cells);
      // The owner wrote these numbers: what does not lie in the segment is not drawn.
      const blocks = map.blocks.filter(
        ({ offset, room }) => offset >= 0 && room >= 0 && offset + room <= lease.bytes,
      );
      const at = blocks.findIndex(({ offset }) => offset >= from);
      const rest = at < 0 ? [] : blocks.slice(at);
      return ok({
        segment: describeLease(agent, lease, lease.container),
        granuleBytes: map.granule,
        liveBlocks: map.liveBlocks,
        liveBytes: map.liveBytes,
        requestedBytes: map.requestedBytes,
        freeBytes: map.freeBytes,
        largestFreeBytes: map.largestFreeBytes,
        freeShareOutsideLargest: map.freeShareOutsideLargest,
        blocksLeftOut: map.blocksLeftOut + map.blocks.length - blocks.length,
        cells: raster(blocks, cellBytes, cells === 0 ? 0 : Math.ceil(lease.bytes / cellBytes)),
        cellBytes,
        blocks: rest.slice(0, most).map(({ offset, length, room, pins }) => ({ offset, length, room, pins })),
        next: rest[most]?.offset ?? null,
      });
    },
  });
}

/** Null while the owner's ledger is its own to touch first, and for what the agent keeps itself. */
function readMap(lease: Lease) {
  return lease.ledger === null || !lease.ownerMapped
    ? null
    : readSegmentMap(lease.ledger, { mostEntries: mostReadBlocks });
}

/** Live bytes of each cell. */
function raster(
  blocks: readonly { offset: number; room: number }[],
  cellBytes: number,
  count: number,
): number[] {
  const cells = new Array<number>(count).fill(0);
  if (count === 0) return cells;
  for (const { offset, room } of blocks) {
    const end = offset + room;
    for (let at = Math.floor(offset / cellBytes); at < count && at * cellBytes < end; at += 1) {
      const covered = Math.min(end, (at + 1) * cellBytes) - Math.max(offset, at * cellBytes);
      // Blocks of a hostile ledger may overlap; a cell is full at most.
      cells[at] = Math.min(cellBytes, (cells[at] ?? 0) + covered);
    }
  }
  return cells;
}
