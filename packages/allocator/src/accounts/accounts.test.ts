import { configSchema, scaleMemory } from '@nautilus/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accounts } from './accounts.ts';

const shape = () =>
  scaleMemory(
    configSchema.parse({
      host: { capacity: '100MiB', reserve: '20MiB' },
      regions: { main: { capacity: '60MiB' }, side: { capacity: '40MiB' } },
      pools: {
        a: { region: 'main', max: '60MiB' },
        b: { region: 'main', max: '30MiB', min: '10MiB' },
        c: { region: 'side', max: '40MiB' },
      },
      containers: {
        one: { min: '40MiB', max: '80MiB' },
        two: { min: '40MiB', max: '80MiB' },
      },
    }),
    2 ** 40,
  );
const mib = 2 ** 20;
const code = (result: ReturnType<Accounts['admit']>) => (result.ok ? 'ok' : result.fault.code);

describe('Accounts#admit()', () => {
  it('fits a claim that every budget above it can hold', () => {
    expect(code(new Accounts(shape()).admit({ container: 'one', pool: 'a', bytes: 40 * mib }))).toBe('ok');
  });

  it('says asked, granted and available when the container is over its budget, and tallies the refusal', () => {
    const accounts = new Accounts(shape());
    accounts.add({ container: 'one', pool: 'a', bytes: 30 * mib });
    const refused = accounts.admit({ container: 'one', pool: 'a', bytes: 11 * mib });
    expect(refused).toMatchObject({
      ok: false,
      fault: {
        code: 'over_budget',
        details: {
          scope: 'container',
          name: 'one',
          asked: 11 * mib,
          granted: 30 * mib,
          available: 10 * mib,
          limit: 40 * mib,
        },
      },
    });
    expect(accounts.containers.get('one')?.refusedBytes).toBe(11 * mib);
  });

  it('asks without a trace, and tallies only what was refused for want of budget', () => {
    const accounts = new Accounts(shape());
    expect(accounts.wouldFit({ container: 'one', pool: 'a', bytes: 41 * mib })).toBe(false);
    expect(accounts.wouldFit({ container: 'one', pool: 'a', bytes: 40 * mib })).toBe(true);
    expect(accounts.containers.get('one')?.refusedBytes).toBe(0);
    accounts.admit({ container: 'one', pool: 'nowhere', bytes: 1 });
    expect(accounts.containers.get('one')?.refusedBytes).toBe(0);
  });

  it('keeps a pool within its limit', () => {
    const accounts = new Accounts(shape());
    accounts.add({ container: 'one', pool: 'b', bytes: 29 * mib });
    expect(accounts.admit({ container: 'two', pool: 'b', bytes: 2 * mib })).toMatchObject({
      fault: { details: { scope: 'pool' } },
    });
  });

  it('leaves to another pool of the region what its minimum promises', () => {
    const accounts = new Accounts(shape());
    accounts.add({ container: 'one', pool: 'a', bytes: 40 * mib });
    // 60 - 40 used - 10 promised to b = 10.
    expect(code(accounts.admit({ container: 'two', pool: 'a', bytes: 10 * mib }))).toBe('ok');
    accounts.add({ container: 'two', pool: 'a', bytes: 5 * mib });
    expect(accounts.admit({ container: 'two', pool: 'a', bytes: 6 * mib })).toMatchObject({
      fault: { details: { scope: 'region' } },
    });
    expect(code(accounts.admit({ container: 'two', pool: 'b', bytes: 10 * mib }))).toBe('ok');
  });

  it('counts lingering bytes against their container and against the host', () => {
    const accounts = new Accounts(shape());
    accounts.add({ container: 'one', pool: 'c', bytes: 40 * mib });
    accounts.add({ container: 'two', pool: 'a', bytes: 40 * mib });
    accounts.end({ container: 'one', pool: 'c', bytes: 40 * mib }, true);
    expect(accounts.leasedBytes + accounts.lingeringBytes).toBe(80 * mib);
    const one = { container: 'one', pool: 'b', bytes: mib };
    expect(accounts.admit(one)).toMatchObject({
      fault: { details: { scope: 'container', granted: 40 * mib } },
    });
    const two = accounts.containers.get('two');
    if (two !== undefined) two.budgetBytes = 80 * mib;
    expect(accounts.admit({ ...one, container: 'two' })).toMatchObject({
      fault: { details: { scope: 'host' } },
    });
    accounts.settle({ container: 'one', pool: 'c', bytes: 40 * mib });
    expect(code(accounts.admit(one))).toBe('ok');
  });

  it('names what does not exist', () => {
    const accounts = new Accounts(shape());
    expect(code(accounts.admit({ container: 'nobody', pool: 'a', bytes: 1 }))).toBe('unknown_container');
    expect(code(accounts.admit({ container: 'one', pool: 'nowhere', bytes: 1 }))).toBe('unknown_pool');
  });

  it('never lets any sum exceed its limit, whatever is claimed and returned', () => {
    const step = fc.record({
      container: fc.constantFrom('one', 'two'),
      pool: fc.constantFrom('a', 'b', 'c'),
      bytes: fc.integer({ min: 1, max: 30 }).map((n) => n * mib),
      end: fc.nat(),
      linger: fc.boolean(),
      action: fc.constantFrom('lease', 'end', 'settle'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const accounts = new Accounts(shape());
        const live: { container: string; pool: string; bytes: number }[] = [];
        const lingering: typeof live = [];
        for (const { action, end, linger, ...claim } of steps) {
          if (action === 'lease') {
            if (accounts.admit(claim).ok) {
              accounts.add(claim);
              live.push(claim);
            }
          } else if (action === 'end' && live.length > 0) {
            const [ended] = live.splice(end % live.length, 1);
            if (ended === undefined) continue;
            accounts.end(ended, linger);
            if (linger) lingering.push(ended);
          } else if (action === 'settle' && lingering.length > 0) {
            const [settled] = lingering.splice(end % lingering.length, 1);
            if (settled !== undefined) accounts.settle(settled);
          }
          const sum = (claims: typeof live) => claims.reduce((total, { bytes }) => total + bytes, 0);
          expect(accounts.leasedBytes).toBe(sum(live));
          expect(accounts.lingeringBytes).toBe(sum(lingering));
          expect(accounts.leasedBytes + accounts.lingeringBytes).toBeLessThanOrEqual(
            accounts.shape.grantableBytes,
          );
          for (const { pool, leasedBytes } of accounts.pools.values())
            expect(leasedBytes).toBeLessThanOrEqual(pool.limitBytes);
          for (const { region, leasedBytes } of accounts.regions.values())
            expect(leasedBytes).toBeLessThanOrEqual(region.capacityBytes);
          for (const { budgetBytes, leasedBytes, lingeringBytes } of accounts.containers.values())
            expect(leasedBytes + lingeringBytes).toBeLessThanOrEqual(budgetBytes);
        }
      }),
      { numRuns: 200 },
    );
  });
});
