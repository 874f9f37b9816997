/** What a scrape shows, above all what it does not show. */
import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

const bare = () => new Metrics({ processMetrics: false });
const requests = { name: 'x_requests_total', type: 'counter', help: 'Requests.', labels: [] } as const;
const used = { name: 'x_used_bytes', type: 'gauge', help: 'Used.', labels: ['pool'] } as const;
const free = { name: 'x_free_bytes', type: 'gauge', help: 'Free.', labels: [] } as const;
const took = {
  name: 'x_took_seconds',
  type: 'histogram',
  help: 'Time.',
  labels: [],
  buckets: [0.1, 1],
} as const;

describe('Metrics', () => {
  it('shows help and no series for what was never measured, with or without labels', async () => {
    const metrics = bare();
    metrics.counter(requests);
    metrics.gauge(free);
    metrics.gauge(used);
    metrics.histogram(took);
    expect(await metrics.render()).toBe(
      [
        '# HELP x_requests_total Requests.\n# TYPE x_requests_total counter\n',
        '# HELP x_free_bytes Free.\n# TYPE x_free_bytes gauge\n',
        '# HELP x_used_bytes Used.\n# TYPE x_used_bytes gauge\n',
        '# HELP x_took_seconds Time.\n# TYPE x_took_seconds histogram\n',
      ].join('\n'),
    );
  });

  it('shows what was measured, zero included', async () => {
    const metrics = bare();
    const counter = metrics.counter(requests);
    counter.inc();
    counter.inc({}, 2);
    metrics.gauge(used).set({ pool: 'a' }, 0);
    metrics.histogram(took).observe({}, 0.5);
    const text = await metrics.render();
    expect(text).toContain('\nx_requests_total 3\n');
    expect(text).toContain('\nx_used_bytes{pool="a"} 0\n');
    expect(text).toContain('x_took_seconds_bucket{le="0.1"} 0\nx_took_seconds_bucket{le="1"} 1\n');
  });

  it('takes series away again', async () => {
    const metrics = bare();
    const gauge = metrics.gauge(used);
    for (const pool of ['a', 'b', 'c', 'd']) gauge.set({ pool }, 1);
    gauge.remove({ pool: 'a' });
    gauge.set({ pool: 'b' }, null);
    gauge.set({ pool: 'c' }, Number.NaN);
    expect((await metrics.render()).match(/\{.*/g)).toEqual(['{pool="d"} 1']);
    gauge.clear();
    const single = metrics.gauge(free);
    single.set({}, 5);
    single.clear();
    expect(await metrics.render()).not.toMatch(/^x_/m);
  });

  it('reads figures at the scrape', async () => {
    const metrics = bare();
    const gauge = metrics.gauge(free);
    let bytes = 7;
    const end = metrics.collectWith(async () => gauge.set({}, bytes));
    expect(await metrics.render()).toContain('x_free_bytes 7');
    bytes = 8;
    expect(await metrics.render()).toContain('x_free_bytes 8');
    end();
    bytes = 9;
    expect(await metrics.render()).toContain('x_free_bytes 8');
  });

  it('fails the scrape with a collector that throws, unless someone takes the error', async () => {
    const strict = bare();
    strict.collectWith(() => Promise.reject(new Error('no counter')));
    await expect(strict.render()).rejects.toThrow('no counter');

    const errors: unknown[] = [];
    const lenient = new Metrics({ processMetrics: false, onCollectError: (error) => errors.push(error) });
    lenient.collectWith(() => Promise.reject(new Error('no counter')));
    lenient.counter(requests).inc();
    expect(await lenient.render()).toContain('x_requests_total 1');
    expect(errors).toMatchObject([{ message: 'no counter' }]);
  });

  it('refuses a wrong type, a name twice, and a missing label', () => {
    const metrics = bare();
    expect(() => metrics.counter(used)).toThrow('x_used_bytes is a gauge, not a counter');
    const gauge = metrics.gauge(used);
    expect(() => metrics.gauge(used)).toThrow('already been registered');
    // @ts-expect-error the label is missing
    expect(() => gauge.set({}, 1)).toThrow('x_used_bytes needs the label pool');
  });

  it('keeps registries apart, and measures the process', async () => {
    const [one, other] = [new Metrics(), new Metrics({ processMetrics: false })];
    expect(await one.render()).toMatch(/^nautilus_process_cpu_seconds_total /m);
    expect(await other.render()).toBe('\n');
  });
});
