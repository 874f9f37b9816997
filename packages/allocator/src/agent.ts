/** The parts of a running agent that its handlers, observers and appliers share: memory, not connections. */
import type { Config, MemoryShape, ObservedKernel, RegionDevice } from '@nautilus/contracts';
import { Accounts } from './accounts/accounts.ts';
import { endSubscriptions } from './handlers/channels.ts';
import { Channels } from './memory/channels.ts';
import { Exchange } from './memory/exchange.ts';
import type { Journal } from './memory/journal.ts';
import { KeptPools } from './memory/kept.ts';
import { RandomTokens } from './memory/random-tokens.ts';
import { type MemoryEvents, SegmentTable } from './memory/table.ts';
import { Tickets } from './memory/tickets.ts';

export interface Agent {
  readonly host: string;
  readonly instance: string;
  readonly startedAt: number;
  readonly config: Config;
  readonly shape: MemoryShape;
  readonly accounts: Accounts;
  readonly table: SegmentTable;
  readonly tickets: Tickets;
  readonly channels: Channels;
  readonly exchange: Exchange;
  readonly kept: KeptPools;
  /** The device that works for a region now. */
  readonly deviceOf: (region: string) => RegionDevice | undefined;
  /** What the kernel charges to a container now. */
  readonly kernelOf: (container: string) => ObservedKernel | undefined;
  readonly now: () => number;
}

export interface AgentParts {
  readonly config: Config;
  readonly shape: MemoryShape;
  readonly journal: Journal;
  readonly events: MemoryEvents;
  readonly key: Buffer;
  readonly pageBytes: number;
  /** Files that this process may have open. */
  readonly descriptorLimit: number;
  readonly instance: string;
  readonly deviceOf?: (region: string) => RegionDevice | undefined;
  readonly kernelOf?: (container: string) => ObservedKernel | undefined;
  readonly now: () => number;
}

export function createAgent(parts: AgentParts): Agent {
  const { config, shape, journal, events, key, pageBytes, instance, now } = parts;
  const accounts = new Accounts(shape);
  const tokens = new RandomTokens();
  const table = new SegmentTable({
    accounts,
    journal,
    events: {
      ...events,
      ended: (lease, reason, lingeringBytes) => {
        endSubscriptions(agent, lease.segment);
        events.ended(lease, reason, lingeringBytes);
      },
    },
    now,
    pageBytes,
    newSegmentId: () => `s-${tokens.next(8, 'hex')}`,
    maximumLeasesPerContainer: config.allocator.max_leases_per_container,
  });
  const tickets = new Tickets(() => tokens.next(24, 'base64url'));
  const agent: Agent = {
    host: config.host.id,
    instance,
    startedAt: now(),
    config,
    shape,
    accounts,
    table,
    tickets,
    channels: new Channels(),
    exchange: new Exchange(table, tickets, key, shareOfDescriptors(parts.descriptorLimit)),
    kept: new KeptPools(table, {
      directory: config.host.state_dir,
      ttlMs: config.allocator.kept_ttl,
      mostBlocks: config.allocator.max_blocks_per_container,
    }),
    deviceOf: parts.deviceOf ?? (() => undefined),
    kernelOf: parts.kernelOf ?? (() => undefined),
    now,
  };
  return agent;
}

/** Kept for sockets, NATS, files and the pages of `/proc`. */
const reservedDescriptors = 256;

/** No container may have more than a quarter of what is left: it could starve the others. */
function shareOfDescriptors(limit: number): number {
  return Math.max(16, Math.floor((limit - reservedDescriptors) / 4));
}
