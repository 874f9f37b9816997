/** The agent's own figures for Prometheus, read from the books at every scrape. */
import type { Bus } from '@nautilus/bus';
import { metrics as table } from '@nautilus/contracts';
import { exposeConnection, type Metrics } from '@nautilus/kit';
import type { Agent } from '../agent.ts';
import type { SocketServer } from '../socket/server.ts';

export interface AgentMetrics {
  observeSample(seconds: number): void;
}

export function exposeAgent(
  metrics: Metrics,
  agent: Agent,
  socket: SocketServer,
  bus: () => Bus | null,
): AgentMetrics {
  const leases = metrics.gauge(table.agentLeases);
  const operations = metrics.counter(table.agentLeaseOperations);
  const violations = metrics.counter(table.agentProtocolViolations);
  const connections = metrics.gauge(table.agentConnections);
  const journal = metrics.gauge(table.agentJournalBytes);
  const sampleSeconds = metrics.histogram(table.agentSampleSeconds);
  exposeConnection(metrics, bus);

  metrics.collectWith(() => {
    const states = { leased: 0, mapped: 0, returning: 0, lingering: 0 };
    for (const lease of agent.table.leases.values()) states[lease.state] += 1;
    for (const [state, count] of Object.entries(states)) leases.set({ state }, count);
    const { leases: begun, refusals, expiries, holderDeaths, protocolViolations } = agent.table.counters;
    // Counters are kept in the books; the series is set to them.
    operations.clear();
    for (const [operation, count] of Object.entries({
      begun,
      refused: refusals,
      expired: expiries,
      'holder-closed': holderDeaths,
    })) {
      operations.inc({ operation }, count);
    }
    violations.clear();
    violations.inc({}, protocolViolations);
    connections.set({}, socket.connections);
    journal.set({}, agent.table.journal.bytes);
  });
  return { observeSample: (seconds) => sampleSeconds.observe({}, seconds) };
}
