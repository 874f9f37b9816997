/** What Prometheus and the person on call are given fits the code: scrapes, rules, metric names, runbooks. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { metrics } from '@nautilus/contracts';
import { Metrics } from '@nautilus/kit';
import { describe, expect, it, type TestContext } from 'vitest';
import { exposeSeries } from './series/expose.ts';
import { watchSeries } from './series/watch-series.ts';
import { signals } from './signals/signals.ts';
import { sampleOf } from './testing/sample.ts';
import { defaultSettings as settings } from './testing/settings.ts';
import { takeSample } from './watch/host-watch.ts';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const scrapes = fromRoot('deploy/prometheus/prometheus.yml');
const rules = fromRoot('deploy/prometheus/alerts.yml');
const ruleTests = fromRoot('deploy/prometheus/alerts.test.yml');
const runbooks = fromRoot('docs/guides/runbooks.md');

interface Ran {
  /** Null: there is no promtool. */
  readonly code: number | null;
  readonly output: string;
}

function promtool(flags: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = execFile('promtool', flags, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, output: stdout + stderr });
      else if (error.code === 'ENOENT') resolve({ code: null, output: '' });
      else if (typeof error.code === 'number') resolve({ code: error.code, output: stdout + stderr });
      else reject(error);
    });
    // Closed without a reader when there is no promtool.
    child.stdin?.on('error', () => undefined).end(input);
  });
}

function accepted({ code, output }: Ran, context: TestContext): void {
  if (code === null) context.skip('promtool is not on PATH (Debian: the package prometheus)');
  expect(code, output).toBe(0);
}

async function metricsPage(): Promise<string> {
  const sample = sampleOf({
    hostShare: 0.96,
    containerShare: 0.5,
    zeroCopyOperations: { lease: 1 },
    psiSomeTotalUs: 1,
  });
  const taken = takeSample(undefined, sample, 0, settings);
  const registry = new Metrics({ processMetrics: false });
  exposeSeries(registry, () => (taken === null ? [] : watchSeries(taken.watch, 0, settings)));
  return registry.render();
}

describe('what Prometheus is given', () => {
  it('is a configuration that promtool takes', async (context) => {
    accepted(await promtool(['check', 'config', scrapes]), context);
  });

  it('has rules that promtool takes', async (context) => {
    accepted(await promtool(['check', 'rules', rules]), context);
  });

  it('has rules that fire where they should and are quiet where they should not', async (context) => {
    accepted(await promtool(['test', 'rules', ruleTests]), context);
  });

  it('has a case that fires and a case that is quiet for every rule', async () => {
    const names = [...(await readFile(rules, 'utf8')).matchAll(/- alert: (\w+)/g)].map((match) => match[1]);
    const cases = await readFile(ruleTests, 'utf8');
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      expect(cases, name).toMatch(new RegExp(`alertname: ${name}, exp_alerts: \\[\\]`));
      expect(cases, name).toMatch(new RegExp(`alertname: ${name}\\n\\s+exp_alerts:\\n\\s+- exp_labels`));
    }
  });

  it('is a page without a fault that promtool knows, the six names of SPEC M4 apart', async (context) => {
    const { code, output } = await promtool(['check', 'metrics'], await metricsPage());
    if (code === null) context.skip('promtool is not on PATH (Debian: the package prometheus)');
    const complaints = output.split('\n').filter((line) => line.trim() !== '');
    expect(complaints.filter((line) => !line.startsWith('nautilus_memory_'))).toEqual([]);
    const given = ['nautilus_memory_bandwidth_utilization_546gbps', 'nautilus_memory_metal_gpu_memory_usage'];
    expect(complaints.filter((line) => !given.some((name) => line.startsWith(name)))).toEqual([]);
  });

  it('asks in its rules only for metrics that exist', async () => {
    const named = (await readFile(rules, 'utf8')).match(/nautilus_memory_\w+/g) ?? [];
    const known = new Set(Object.values(metrics).map(({ name }) => name as string));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('scrapes every service on its port', async () => {
    const text = await readFile(scrapes, 'utf8');
    for (const target of ['monitor:9091', 'allocator:9101', 'orchestrator:9102', 'maintenance:9103']) {
      expect(text).toContain(`'${target}'`);
    }
  });
});

describe('the runbooks', () => {
  const headings = async () => (await readFile(runbooks, 'utf8')).match(/^## .+$/gm) ?? [];

  it('have a section for every signal', async () => {
    const found = await headings();
    for (const { name } of signals) expect(found).toContain(`## ${name}`);
  });

  it('have a section for every rule, which every rule names', async () => {
    const text = await readFile(rules, 'utf8');
    const anchors = [...text.matchAll(/runbook_url: docs\/guides\/runbooks\.md#(\S+)/g)].map(
      (match) => match[1],
    );
    expect(anchors).toHaveLength((text.match(/- alert: /g) ?? []).length);
    const found = await headings();
    for (const anchor of anchors) expect(found).toContain(`## ${anchor}`);
  });
});
