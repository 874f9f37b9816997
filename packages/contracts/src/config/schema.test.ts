import { describe, expect, it } from 'vitest';
import { scaleMemory } from './scale.ts';
import { configSchema } from './schema.ts';

const messages = (input: object) => {
  const parsed = configSchema.safeParse(input);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the configuration', () => {
  it('is whole when nothing is said', () => {
    const config = configSchema.parse({});
    expect(Object.keys(config.regions)).toHaveLength(6);
    expect(Object.keys(config.pools)).toHaveLength(8);
    expect(Object.keys(config.containers).length).toBeGreaterThanOrEqual(16);
    expect(config.monitor.port).toBe(9091);
  });

  it('refuses containers whose minimums do not fit the host, with both sums', () => {
    const containers = { a: { min: '20GiB', max: '20GiB' }, b: { min: '20GiB', max: '30GiB' } };
    expect(messages({ containers })).toEqual([
      'containers: minimums sum to 40GiB, more than the 30GiB that host.capacity minus host.reserve leaves; lower a min',
    ]);
  });

  it('allows maximums that do not all fit at once', () => {
    expect(messages({ containers: { a: { max: '30GiB' }, b: { max: '30GiB' } } })).toEqual([]);
  });

  for (const [what, input, says] of [
    ['a size without a unit', { host: { capacity: 36 } }, /host.capacity: must be a size with a unit/],
    [
      'a reserve as large as the capacity',
      { host: { capacity: '40GiB', reserve: '40GiB' } },
      /host.reserve: must be smaller/,
    ],
    [
      'regions larger than the host',
      { regions: { big: { capacity: '99GiB' } }, pools: {} },
      /regions: capacities sum to 99GiB/,
    ],
    [
      'a pool of no region',
      { pools: { p: { region: 'nowhere', max: '1GiB' } } },
      /pools.p.region: names no region/,
    ],
    [
      'a pool larger than its region',
      { pools: { p: { region: 'zero-copy-buffer', max: '1GiB' } } },
      /pools.p.max: must not be larger than region/,
    ],
    [
      'a minimum above the maximum',
      { containers: { c: { min: '2GiB', max: '1GiB' } } },
      /containers.c.min: must not be larger than max/,
    ],
    [
      'pool minimums above the region',
      {
        pools: {
          p: { region: 'zero-copy-buffer', min: '0.3GiB', max: '0.5GiB' },
          q: { region: 'zero-copy-buffer', min: '0.3GiB', max: '0.5GiB' },
        },
      },
      /smaller than the minimums of its pools/,
    ],
    [
      'a strategy that this build has not',
      { pools: { p: { region: 'unified-main', max: '1GiB', strategy: 'quadtree' } } },
      /pools.p.strategy/,
    ],
    ['a ladder that does not rise', { monitor: { memory: { info: '90%', warning: '80%' } } }, /must rise/],
    ['an unknown key', { hosts: {} }, /hosts/],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(messages(input).join('\n')).toMatch(says);
    });
  }
});

describe('scaleMemory()', () => {
  it('shrinks everything together on a smaller machine, and sums still fit', () => {
    const config = configSchema.parse({});
    const shape = scaleMemory(config, 9 * 2 ** 30);
    expect(shape.scale).toBe(0.25);
    expect(shape.managedBytes).toBe(9 * 2 ** 30);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect(sum(shape.regions.map(({ capacityBytes }) => capacityBytes))).toBeLessThanOrEqual(
      shape.managedBytes,
    );
    expect(sum(shape.containers.map(({ minimumBytes }) => minimumBytes))).toBeLessThanOrEqual(
      shape.grantableBytes,
    );
  });

  it('never grows beyond what was configured', () => {
    expect(scaleMemory(configSchema.parse({}), 2 ** 45)).toMatchObject({
      scale: 1,
      managedBytes: 36 * 2 ** 30,
    });
  });
});
