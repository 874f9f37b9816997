/** The three start-up calls: one process that is the whole system, with a container that uses it. */

import { connectBus } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { connect } from '@nautilus/client';
import { exchanges } from '@nautilus/contracts';
import { startContainerOrchestration, startMonitoring, startUnifiedMemorySystem } from '@nautilus/memory';
import { describe, expect, it } from 'vitest';
import { testConfig } from '../support/config.ts';
import { eventually } from '../support/eventually.ts';

const mib = 2 ** 20;

describe('the umbrella', () => {
  it('starts agent, maintenance, orchestrator and monitor, and stops them in order', async () => {
    const nats = await startNats({ jetstream: true });
    const { config, remove } = testConfig(nats.url);
    const memory = await startUnifiedMemorySystem({ config });
    const orchestration = await startContainerOrchestration({ config });
    const monitoring = await startMonitoring({ config, interval: 200, prometheusPort: 0 });
    const bus = await connectBus({ servers: nats.url, name: 'operator' });

    const client = await connect({ container: 'analytics-engine', servers: nats.url });
    const pool = client.pool('analytics', { segmentBytes: 4 * mib });
    const block = await pool.allocate(3 * mib);
    block.view().fill(1);

    // The orchestrator has planned for it and says why.
    const planned = await eventually(
      async () => {
        const { plan } = await bus.request(exchanges.explainPlan, { party: 'orchestrator' }, { host: 'h1' });
        return plan?.budgets.find(({ container }) => container === 'analytics-engine');
      },
      (budget) => budget !== undefined && budget.leasedBytes === 4 * mib,
      { what: 'a plan that knows the lease' },
    );
    expect(planned?.reason).toMatch(/\d/);
    expect(planned?.budgetBytes).toBeGreaterThanOrEqual(4 * mib);

    // The monitor shows what the agent sampled, under the names that operators were promised.
    const page = await eventually(
      async () => (await fetch(`http://127.0.0.1:${monitoring.port}/metrics`)).text(),
      (text) =>
        text.includes(
          'nautilus_memory_container_memory_allocation{host="h1",container="analytics-engine"} 4194304',
        ),
      { what: 'the allocation in the metrics' },
    );
    expect(page).toMatch(/^nautilus_memory_unified_memory_pressure\{host="h1"\} 0\.\d+$/m);
    expect(page).toMatch(/^nautilus_memory_zero_copy_operations_total\{host="h1",path="lease"\} 1$/m);
    // What this machine cannot count has a reason and no series.
    expect(page).toContain('# TYPE nautilus_memory_bandwidth_utilization_546gbps gauge');
    expect(page).not.toMatch(/^nautilus_memory_bandwidth_utilization_546gbps\{/m);
    expect(page).toMatch(/^nautilus_memory_bandwidth_source_info\{host="h1",source="none",reason=".+"\} 1$/m);

    // Maintenance runs a job on request and reports before and after.
    const run = await bus.request(
      exchanges.runJob,
      { party: 'maintenance' },
      { job: 'clean-up', host: 'h1' },
      { timeoutMs: 10_000 },
    );
    expect(run).toMatchObject({ job: 'clean-up', outcome: 'done' });
    expect(run.report).toMatchObject({ expiredLeases: 0, after: { leases: 1 } });

    await client.close();
    await bus.close();
    for (const part of [monitoring, orchestration, memory]) await part.stop();
    await nats[Symbol.asyncDispose]();
    remove();
  });

  it('refuses a port and an interval that are none', async () => {
    await expect(startMonitoring({ prometheusPort: 70_000 })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(startMonitoring({ interval: 0.5 })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
