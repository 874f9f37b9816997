/** The metrics page with and without sources, and what is left of it when a host goes silent. */
import { metrics as table } from '@nautilus/contracts';
import { Metrics } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { type SampleOptions, sampleOf } from '../testing/sample.ts';
import { defaultSettings as settings } from '../testing/settings.ts';
import { type HostWatch, passTime, takeSample } from '../watch/host-watch.ts';
import { exposeSeries } from './expose.ts';
import { processSeries } from './process-series.ts';
import { watchSeries } from './watch-series.ts';

function watchOf(options: SampleOptions = {}, before?: HostWatch): HostWatch {
  const taken = takeSample(before, sampleOf(options), 0, settings);
  if (taken === null) throw new Error('the sample is not newer than the one before');
  return taken.watch;
}

/** The lines of the page that are series, by what is left of the value. */
async function page(
  watch: HostWatch,
  monotonicMs = 0,
): Promise<{ text: string; series: Map<string, string> }> {
  const metrics = new Metrics({ processMetrics: false });
  exposeSeries(metrics, () => watchSeries(watch, monotonicMs, settings));
  const text = await metrics.render();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    text,
    series: new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
    ),
  };
}

const specNames = [
  'nautilus_memory_unified_memory_pressure',
  'nautilus_memory_bandwidth_utilization_546gbps',
  'nautilus_memory_zero_copy_operations_total',
  'nautilus_memory_container_memory_allocation',
  'nautilus_memory_neural_engine_utilization',
  'nautilus_memory_metal_gpu_memory_usage',
];

describe('the metrics page', () => {
  it('has help and type of every row of the monitor, the six of SPEC M4 by their names', async () => {
    const { text } = await page(watchOf());
    const rows = Object.values(table).filter(({ service }) => service === 'monitor' || service === 'every');
    for (const name of [...specNames, ...rows.map((row) => row.name)]) {
      expect(text).toContain(`# HELP ${name} `);
      expect(text).toContain(`# TYPE ${name} `);
    }
    expect(text).not.toContain('nautilus_memory_agent_leases');
  });

  it('shows what a sample says', async () => {
    const { series } = await page(
      watchOf({
        hostShare: 0.75,
        containerShare: 0.5,
        zeroCopyOperations: { lease: 7 },
        psiSomeTotalUs: 2_500_000,
      }),
    );
    expect(series.get('nautilus_memory_unified_memory_pressure{host="h1"}')).toBe('0.75');
    expect(series.get('nautilus_memory_host_total_bytes{host="h1"}')).toBe(String(16 * 1024 ** 3));
    expect(series.get('nautilus_memory_container_memory_allocation{host="h1",container="ml-engine"}')).toBe(
      String(2 * 1024 ** 3),
    );
    expect(series.get('nautilus_memory_zero_copy_operations_total{host="h1",path="lease"}')).toBe('7');
    expect(series.get('nautilus_memory_host_stall_seconds_total{host="h1",kind="some"}')).toBe('2.5');
    expect([...series.keys()].filter((key) => key.includes('kind="full"'))).toEqual([]);
    expect(
      series.get('nautilus_memory_region_capacity_bytes{host="h1",region="neural-engine"}'),
    ).toBeDefined();
    expect(series.get('nautilus_memory_pool_live_bytes{host="h1",pool="ml-models"}')).toBe('0');
    expect(series.get('nautilus_memory_samples_received_total{host="h1"}')).toBe('1');
  });

  it('has no series for what nobody counts, and the reason that the agent gives', async () => {
    const name = table.bandwidthUtilization.name;
    const { series } = await page(watchOf({ missing: { [name]: 'no_pmu_vm' } }));
    const ofSources = [...series.keys()].filter((key) => !key.startsWith('nautilus_memory_source_info'));
    for (const absent of [name, table.neuralEngineUtilization.name, table.gpuMemoryUsage.name]) {
      expect(ofSources.filter((key) => key.startsWith(absent))).toEqual([]);
    }
    const reason = 'source="none",reason="no_pmu_vm"';
    expect(series.get(`nautilus_memory_source_info{host="h1",${reason},metric="${name}"}`)).toBe('1');
    expect(series.get(`nautilus_memory_bandwidth_source_info{host="h1",${reason}}`)).toBe('1');
  });

  it('gives a reason of its own where the agent gives none', async () => {
    const { series } = await page(watchOf());
    const explained = [...series.keys()].filter((key) => key.startsWith('nautilus_memory_source_info'));
    for (const { name } of [
      table.bandwidthUtilization,
      table.neuralEngineUtilization,
      table.gpuMemoryUsage,
    ]) {
      expect(explained.filter((key) => key.includes(`metric="${name}"`))).toHaveLength(1);
    }
  });

  it('shows the tier of what is raised and nothing of what is not', async () => {
    const { series } = await page(watchOf({ hostShare: 0.96 }));
    const tiers = [...series].filter(([key]) => key.startsWith('nautilus_memory_alert_tier'));
    expect(tiers).toEqual([
      ['nautilus_memory_alert_tier{host="h1",scope="host",name="h1",signal="memory-pressure"}', '4'],
    ]);
    expect(
      series.get('nautilus_memory_alert_transitions_total{host="h1",tier="emergency",state="raised"}'),
    ).toBe('1');
  });

  it('keeps only its own counts and the silence of a host that went silent', async () => {
    const heard = watchOf({ hostShare: 0.96, containerShare: 0.96, zeroCopyOperations: { lease: 1 } });
    const look = { monotonicMs: 6_000, at: 6_000, listeningSinceMs: 0 };
    const { watch } = passTime(heard, look, settings);
    const { series } = await page(watch, 6_000);
    expect([...series.keys()].map((key) => key.slice(0, key.indexOf('{')))).toEqual([
      'nautilus_memory_alert_tier',
      'nautilus_memory_alert_transitions_total',
      'nautilus_memory_alert_transitions_total',
      'nautilus_memory_samples_received_total',
      'nautilus_memory_samples_missed_total',
    ]);
    expect([...series.keys()][0]).toContain('signal="host-silent"');
    const again = watchOf({ sequence: 1, zeroCopyOperations: { lease: 3 } }, watch);
    expect(
      (await page(again)).series.get('nautilus_memory_zero_copy_operations_total{host="h1",path="lease"}'),
    ).toBe('3');
  });

  it('forgets a container that is gone, in the same process', async () => {
    let watch = watchOf({ containerShare: 0.5 });
    const metrics = new Metrics({ processMetrics: false });
    exposeSeries(metrics, () => watchSeries(watch, 0, settings));
    expect(await metrics.render()).toContain('container="ml-engine"');
    watch = watchOf({ sequence: 1, containerShare: null }, watch);
    expect(await metrics.render()).not.toContain('container="ml-engine"');
  });

  it('shows the link to NATS and who leads', async () => {
    const metrics = new Metrics({ processMetrics: false });
    const figures = { isConnected: true, isLeading: false, operations: { slow_consumers: 3 } };
    exposeSeries(metrics, () => processSeries(figures));
    const text = await metrics.render();
    expect(text).toContain('nautilus_memory_bus_connected 1');
    expect(text).toContain('nautilus_memory_leader{service="monitor"} 0');
    expect(text).toContain('nautilus_memory_bus_operations_total{operation="slow_consumers"} 3');
  });
});
