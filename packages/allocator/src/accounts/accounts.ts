/**
 * Who may have how much. Every budget (container, pool, region, host) is a number here, every lease moves them, and
 * admission is one function that either fits all of them or says which one is too small. Touches no memory and no clock.
 */
import {
  type ContainerSpec,
  fail,
  formatBytes,
  type MemoryShape,
  ok,
  type Result,
  type ScaledPool,
  type ScaledRegion,
} from '@nautilus/contracts';

export interface ContainerAccount {
  readonly name: string;
  readonly spec: ContainerSpec;
  budgetBytes: number;
  leasedBytes: number;
  /** Of ended leases that somebody still maps: they count against the budget until they are let go. */
  lingeringBytes: number;
  highWaterBytes: number;
  /** Bytes refused for want of budget since the last report. */
  refusedBytes: number;
  leases: number;
}

interface PoolAccount {
  readonly pool: ScaledPool;
  leasedBytes: number;
  segments: number;
}

interface RegionAccount {
  readonly region: ScaledRegion;
  leasedBytes: number;
}

export interface Claim {
  readonly container: string;
  readonly pool: string;
  readonly bytes: number;
}

export class Accounts {
  readonly shape: MemoryShape;
  readonly containers: ReadonlyMap<string, ContainerAccount>;
  readonly pools: ReadonlyMap<string, PoolAccount>;
  readonly regions: ReadonlyMap<string, RegionAccount>;
  leasedBytes = 0;
  /** Bytes of ended leases that somebody still maps, over all containers. */
  lingeringBytes = 0;

  constructor(shape: MemoryShape) {
    this.shape = shape;
    this.containers = new Map(
      shape.containers.map(({ name, ...spec }) => [
        name,
        {
          name,
          spec,
          budgetBytes: spec.minimumBytes,
          leasedBytes: 0,
          lingeringBytes: 0,
          highWaterBytes: 0,
          refusedBytes: 0,
          leases: 0,
        },
      ]),
    );
    this.pools = new Map(shape.pools.map((pool) => [pool.name, { pool, leasedBytes: 0, segments: 0 }]));
    this.regions = new Map(shape.regions.map((region) => [region.name, { region, leasedBytes: 0 }]));
  }

  container(name: string): Result<ContainerAccount> {
    const account = this.containers.get(name);
    if (account !== undefined) return ok(account);
    return fail(
      'unknown_container',
      `container "${name}" is not configured on this host; add it under containers`,
      {
        container: name,
      },
    );
  }

  /** The smallest alignment of a pool's blocks, which its region says. */
  alignmentOf(pool: string): number {
    const region = this.pools.get(pool)?.pool.region ?? '';
    return this.regions.get(region)?.region.alignmentBytes ?? 64;
  }

  pool(name: string): Result<PoolAccount> {
    const account = this.pools.get(name);
    if (account !== undefined) return ok(account);
    const known = [...this.pools.keys()];
    return fail('unknown_pool', `pool "${name}" does not exist; there are ${known.join(', ')}`, {
      pool: name,
      known,
    });
  }

  /** `admit` as a question: nobody was refused anything. */
  wouldFit(claim: Claim): boolean {
    return this.#judge(claim).ok;
  }

  /** Whether the claim fits every budget above it. Changes nothing but the tally of refused bytes. */
  admit(claim: Claim): Result<ScaledPool> {
    const judged = this.#judge(claim);
    if (!judged.ok && judged.fault.details?.['scope'] === 'container') {
      const container = this.containers.get(claim.container);
      if (container !== undefined) container.refusedBytes += claim.bytes;
    }
    return judged;
  }

  #judge(claim: Claim): Result<ScaledPool> {
    const container = this.container(claim.container);
    if (!container.ok) return container;
    const pool = this.pool(claim.pool);
    if (!pool.ok) return pool;
    const region = this.regions.get(pool.value.pool.region);
    if (region === undefined)
      throw new Error(`pool ${claim.pool} names region ${pool.value.pool.region}, which does not exist`);

    const { budgetBytes } = container.value;
    const occupied = container.value.leasedBytes + container.value.lingeringBytes;
    if (occupied + claim.bytes > budgetBytes) {
      return tooMuch('container', claim.container, claim.bytes, occupied, budgetBytes);
    }
    if (pool.value.leasedBytes + claim.bytes > pool.value.pool.limitBytes) {
      return tooMuch('pool', claim.pool, claim.bytes, pool.value.leasedBytes, pool.value.pool.limitBytes);
    }
    const promised = this.#promisedToOthers(region.region.name, claim.pool);
    if (region.leasedBytes + claim.bytes > region.region.capacityBytes - promised) {
      return tooMuch(
        'region',
        region.region.name,
        claim.bytes,
        region.leasedBytes,
        region.region.capacityBytes - promised,
      );
    }
    const held = this.leasedBytes + this.lingeringBytes;
    if (held + claim.bytes > this.shape.grantableBytes) {
      return tooMuch('host', 'this host', claim.bytes, held, this.shape.grantableBytes);
    }
    return ok(pool.value.pool);
  }

  add(claim: Claim): void {
    const { container, pool, region } = this.#accountsOf(claim);
    container.leasedBytes += claim.bytes;
    container.highWaterBytes = Math.max(container.highWaterBytes, container.leasedBytes);
    container.leases += 1;
    pool.leasedBytes += claim.bytes;
    pool.segments += 1;
    region.leasedBytes += claim.bytes;
    this.leasedBytes += claim.bytes;
  }

  /** The lease ended. With `lingering` the bytes stay in pool, region and host until `settle`. */
  end(claim: Claim, lingering: boolean): void {
    const { container } = this.#accountsOf(claim);
    container.leasedBytes -= claim.bytes;
    container.lingeringBytes += claim.bytes;
    container.leases -= 1;
    this.leasedBytes -= claim.bytes;
    this.lingeringBytes += claim.bytes;
    if (!lingering) this.settle(claim);
  }

  /** Nobody maps an ended lease any more: its bytes are free. */
  settle(claim: Claim): void {
    const { container, pool, region } = this.#accountsOf(claim);
    container.lingeringBytes -= claim.bytes;
    pool.leasedBytes -= claim.bytes;
    pool.segments -= 1;
    region.leasedBytes -= claim.bytes;
    this.lingeringBytes -= claim.bytes;
  }

  /** What the minimums of the other pools of the region still keep from this one. */
  #promisedToOthers(region: string, pool: string): number {
    let bytes = 0;
    for (const [name, other] of this.pools) {
      if (name === pool || other.pool.region !== region) continue;
      bytes += Math.max(0, other.pool.minimumBytes - other.leasedBytes);
    }
    return bytes;
  }

  #accountsOf(claim: Claim): { container: ContainerAccount; pool: PoolAccount; region: RegionAccount } {
    const container = this.containers.get(claim.container);
    const pool = this.pools.get(claim.pool);
    const region = pool === undefined ? undefined : this.regions.get(pool.pool.region);
    if (container === undefined || pool === undefined || region === undefined) {
      throw new Error(`no accounts for container ${claim.container}, pool ${claim.pool}`);
    }
    return { container, pool, region };
  }
}

function tooMuch(scope: string, name: string, asked: number, granted: number, limit: number) {
  const available = Math.max(0, limit - granted);
  return fail(
    'over_budget',
    `asked ${formatBytes(asked)}, but ${scope === 'host' ? name : `${scope} ${name}`} has ${formatBytes(available)} available ` +
      `(${formatBytes(granted)} of ${formatBytes(limit)} granted); ask for less, release something, or wait for a larger budget`,
    { scope, name, asked, granted, available, limit },
  );
}
