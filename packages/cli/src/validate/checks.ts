/** The system check, one function a check: each does something real on the live system and says what it saw. */
import type { Bus } from '@nautilus/bus';
import type { Block, GrantedSegment, NautilusClient } from '@nautilus/client';
import { type AgentSample, type Config, exchanges, formatBytes, NautilusError } from '@nautilus/contracts';

export interface Stage {
  readonly host: string;
  /** The operator's. */
  readonly bus: Bus;
  readonly owner: { readonly name: string; readonly client: NautilusClient; readonly bus: Bus };
  readonly reader: { readonly name: string; readonly client: NautilusClient };
  readonly pool: string;
  readonly config: Config;
  readonly sample: () => Promise<AgentSample>;
  readonly now: () => number;
  /** What a check leaves for those behind it. */
  readonly made: { block: Block | null; segment: GrantedSegment | null; leasedBefore: number };
}

export interface Check {
  readonly name: string;
  readonly isVital: boolean;
  /** The evidence; a text that begins with `skipped: ` says why it could not be done. Throws what it found wrong. */
  readonly run: (stage: Stage) => Promise<string>;
}

/** What a check found wrong; anything else that is thrown is a fault of a service, or a bug. */
export class Wrong extends Error {}

const blockBytes = 64 * 1024;
const rounds = 20;

export const checks: readonly Check[] = [
  {
    name: 'NATS answers',
    isVital: true,
    run: async ({ bus }) => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const from = performance.now();
        await bus.flush();
        times.push(performance.now() - from);
      }
      const middle = times.toSorted((a, b) => a - b)[rounds / 2] ?? 0;
      return `server ${bus.serverVersion} at ${bus.url}, ${middle.toFixed(2)} ms there and back (middle of ${rounds})`;
    },
  },
  {
    name: 'the agent samples its host',
    isVital: true,
    run: async ({ sample, bus, host }) => {
      const about = await bus.request(exchanges.describeHost, { host, party: 'agent' }, {});
      const first = await sample();
      const second = await sample();
      if (second.sequence <= first.sequence || second.instance !== about.instance) {
        throw new Wrong(
          `sample ${second.sequence} of ${second.instance} came after ${first.sequence}; the agent says it is ${about.instance}`,
        );
      }
      return `samples ${first.sequence} and ${second.sequence}, ${second.at - first.at} ms apart; ${second.segments.live} segments`;
    },
  },
  {
    name: 'the books agree',
    isVital: true,
    run: async ({ sample }) => {
      const { capacity, containers } = await sample();
      const held = capacity.leasedBytes + capacity.lingeringBytes;
      const sum = containers.reduce((bytes, { leasedBytes }) => bytes + leasedBytes, 0);
      if (held > capacity.grantableBytes)
        throw new Wrong(`${held} bytes are held, ${capacity.grantableBytes} may be`);
      if (sum !== capacity.leasedBytes)
        throw new Wrong(`containers hold ${sum} bytes, the host says ${capacity.leasedBytes}`);
      return `${containers.length} containers hold ${formatBytes(sum)}, the host says the same; ${formatBytes(capacity.grantableBytes)} may be held`;
    },
  },
  {
    name: 'a container leases and writes',
    isVital: true,
    run: async ({ owner, pool, made }) => {
      made.leasedBefore = (await owner.client.describe()).leasedBytes;
      const from = performance.now();
      const block = await owner.client.pool(pool).allocate(blockBytes);
      const tookMs = performance.now() - from;
      made.block = block;
      const view = block.view();
      const dirty = view.findIndex((byte) => byte !== 0);
      if (dirty >= 0) throw new Wrong(`byte ${dirty} of a fresh block is ${view[dirty]}, must be 0`);
      view.forEach((_, at) => {
        view[at] = at % 251;
      });
      return `${block.length} bytes at ${block.offset} of ${block.segment}, zero when it came, in ${tookMs.toFixed(1)} ms`;
    },
  },
  {
    name: 'a stranger is refused',
    isVital: true,
    run: async ({ reader, made }) => {
      const { segment } = needed(made.block);
      try {
        const opened = await reader.client.open(segment);
        await opened.close();
      } catch (error) {
        if (
          error instanceof NautilusError &&
          (error.code === 'unknown_segment' || error.code === 'permission_denied')
        ) {
          return `${reader.name} asked for ${segment} before the grant: ${error.code}`;
        }
        throw error;
      }
      throw new Wrong(`${reader.name} could open ${segment}, which nobody granted it`);
    },
  },
  {
    name: 'a reader reads in place',
    isVital: true,
    run: async ({ reader, made }) => {
      const block = needed(made.block);
      await block.grant(reader.name);
      const from = performance.now();
      const segment = await reader.client.open(block.segment);
      const tookMs = performance.now() - from;
      made.segment = segment;
      const seen = segment.view(block.offset, block.length);
      const wrong = block.view().findIndex((byte, at) => seen[at] !== byte);
      if (wrong >= 0) throw new Wrong(`byte ${wrong} is ${seen[wrong]} for the reader`);
      const mark = ((block.view()[7] ?? 0) + 1) % 256;
      block.view()[7] = mark;
      if (seen[7] !== mark) throw new Wrong(`a byte written after the reader had mapped it was not seen`);
      return `${block.length} bytes equal, and one written afterwards was seen without a message; mapped in ${tookMs.toFixed(1)} ms`;
    },
  },
  {
    name: 'more than the budget is refused',
    isVital: true,
    run: async ({ owner, host, pool, made }) => {
      const before = await owner.client.describe();
      const bytes = before.budgetBytes + 2 ** 30;
      try {
        const lease = await owner.bus.request(
          exchanges.leaseSegment,
          { host, party: owner.name },
          { pool, bytes },
        );
        await owner.bus.request(
          exchanges.releaseSegment,
          { host, party: owner.name },
          { segment: lease.segment },
        );
      } catch (error) {
        if (!(error instanceof NautilusError) || error.code !== 'over_budget') throw error;
        const after = await owner.client.describe();
        if (after.leasedBytes !== before.leasedBytes)
          throw new Wrong(
            `the refusal changed the books: ${before.leasedBytes} to ${after.leasedBytes} bytes`,
          );
        return `${formatBytes(bytes)} with a budget of ${formatBytes(before.budgetBytes)}: over_budget, ${made.block === null ? '' : 'its block untouched, '}books unchanged`;
      }
      throw new Wrong(
        `${formatBytes(bytes)} were leased with a budget of ${formatBytes(before.budgetBytes)}`,
      );
    },
  },
  {
    name: 'the ledger can be seen',
    isVital: false,
    run: async ({ bus, host, made }) => {
      const block = needed(made.block);
      const map = await bus.request(
        exchanges.mapSegment,
        { host, party: 'agent' },
        { segment: block.segment, most: 2_000 },
      );
      const listed = map.blocks.some(
        ({ offset, length }) => offset === block.offset && length === block.length,
      );
      if (!listed && map.next === null)
        throw new Wrong(`the block at ${block.offset} is not in the map of ${block.segment}`);
      return `${map.liveBlocks} live blocks, ${formatBytes(map.liveBytes)}, with the one of this check`;
    },
  },
  {
    name: 'memory comes back',
    isVital: true,
    run: async ({ owner, host, made }) => {
      const block = needed(made.block);
      await made.segment?.close();
      block.free();
      made.block = null;
      await owner.client.close();
      const about = await owner.bus.request(exchanges.describeSegments, { host, party: owner.name }, {});
      if (about.leasedBytes > made.leasedBefore)
        throw new Wrong(`${about.leasedBytes} bytes are leased, ${made.leasedBefore} were before`);
      return `${formatBytes(about.leasedBytes)} leased, as before`;
    },
  },
  {
    name: 'the orchestrator plans',
    isVital: false,
    run: async ({ bus, host, now }) => {
      const { plan, leader, epoch } = await bus.request(exchanges.explainPlan, {}, { host });
      if (plan === null) throw new Wrong('there is no plan for this host');
      if (plan.frozen !== null) throw new Wrong(`plan ${plan.plan} is frozen: ${plan.frozen}`);
      if (plan.plannedBytes > plan.capacityBytes)
        throw new Wrong(`${plan.plannedBytes} bytes are planned of ${plan.capacityBytes}`);
      return `${plan.budgets.length} budgets, ${formatBytes(plan.plannedBytes)} of ${formatBytes(plan.capacityBytes)}, ${Math.round((now() - plan.decidedAt) / 1000)} s old; ${leader ? `leader, epoch ${epoch}` : 'answered by one that waits'}`;
    },
  },
  {
    name: 'the monitor watches',
    isVital: false,
    run: async ({ bus, host }) => {
      const { alerts } = await bus.request(exchanges.listAlerts, {}, { host });
      const { series, rowsLost } = await bus.request(exchanges.listHistory, {}, { host });
      if (series.length === 0) throw new Wrong('it remembers no series of this host');
      const loud = alerts.filter(({ tier }) => tier === 'critical' || tier === 'emergency');
      if (loud.length > 0) throw new Wrong(loud.map(({ tier, text }) => `${tier}: ${text}`).join('; '));
      return `${alerts.length} alerts, none critical; ${series.length} series remembered, ${rowsLost} rows lost`;
    },
  },
  {
    name: 'maintenance keeps its calendar',
    isVital: false,
    run: async ({ bus }) => {
      const { jobs } = await bus.request(exchanges.listJobs, {}, {});
      const idle = jobs.filter(({ nextAt }) => nextAt === null);
      if (jobs.length === 0 || idle.length > 0)
        throw new Wrong(
          `jobs without a next time: ${idle.map(({ job }) => job).join(', ') || 'there are no jobs'}`,
        );
      return `${jobs.length} jobs, next at ${new Date(Math.min(...jobs.map(({ nextAt }) => nextAt ?? 0))).toISOString()}`;
    },
  },
  ...(['allocator', 'orchestrator', 'monitor', 'maintenance'] as const).map(
    (service): Check => ({
      name: `metrics of the ${service}`,
      isVital: false,
      run: async ({ config }) => {
        const { port, bind } = config[service];
        if (port === 0) return `skipped: the configuration gives it no fixed port`;
        const address = `http://${bind === '0.0.0.0' ? '127.0.0.1' : bind}:${port}/metrics`;
        const page = await fetch(address, { signal: AbortSignal.timeout(3_000) }).catch((error: unknown) => {
          throw new Wrong(
            `${address}: ${error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)}`,
          );
        });
        const text = await page.text();
        const series = text.split('\n').filter((line) => line.startsWith('nautilus_')).length;
        if (!page.ok || series === 0)
          throw new Wrong(`${address} answers ${page.status} with ${series} series of ours`);
        return `${series} series at ${address}`;
      },
    }),
  ),
];

function needed(block: Block | null): Block {
  if (block === null) throw new Wrong('there is no block, because it could not be leased');
  return block;
}
