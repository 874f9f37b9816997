/**
 * Every metric name once, with its help and labels. A metric whose source is missing on a machine has no series;
 * `nautilus_memory_source_info` then says why. Labels are bounded: containers, pools, regions, tiers, codes.
 */
export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly service: 'every' | 'allocator' | 'orchestrator' | 'monitor' | 'maintenance';
  readonly buckets?: readonly number[];
}

const latencyBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1] as const;

function define<T extends Record<string, MetricSpec>>(table: T): T {
  return table;
}

export const metrics = define({
  // The six of SPEC M4, by exactly these names.
  unifiedMemoryPressure: {
    name: 'nautilus_memory_unified_memory_pressure',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Share of host memory that is not available, 0 to 1.',
  },
  bandwidthUtilization: {
    name: 'nautilus_memory_bandwidth_utilization_546gbps',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Share of 546 GB/s memory bandwidth in use, 0 to 1. Only with a hardware counter.',
  },
  zeroCopyOperations: {
    name: 'nautilus_memory_zero_copy_operations_total',
    type: 'counter',
    service: 'monitor',
    labels: ['host', 'path'],
    help: 'Mappings handed out without a copy.',
  },
  containerAllocation: {
    name: 'nautilus_memory_container_memory_allocation',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'container'],
    help: 'Bytes leased to a container.',
  },
  neuralEngineUtilization: {
    name: 'nautilus_memory_neural_engine_utilization',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Share of the neural engine in use, 0 to 1. Only with a counter.',
  },
  gpuMemoryUsage: {
    name: 'nautilus_memory_metal_gpu_memory_usage',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Bytes of device memory in use. Only with a device that counts them.',
  },
  sourceInfo: {
    name: 'nautilus_memory_source_info',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'metric', 'source', 'reason'],
    help: 'Where a metric comes from, or why it has no series.',
  },
  bandwidthSourceInfo: {
    name: 'nautilus_memory_bandwidth_source_info',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'source', 'reason'],
    help: 'Where the bandwidth figure comes from, or why there is none.',
  },

  hostTotalBytes: {
    name: 'nautilus_memory_host_total_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Memory of the host.',
  },
  hostAvailableBytes: {
    name: 'nautilus_memory_host_available_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host'],
    help: 'Memory that can be had without swapping.',
  },
  hostStallSeconds: {
    name: 'nautilus_memory_host_stall_seconds_total',
    type: 'counter',
    service: 'monitor',
    labels: ['host', 'kind'],
    help: 'Time in which some or all tasks stalled on memory (PSI).',
  },
  regionCapacityBytes: {
    name: 'nautilus_memory_region_capacity_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'region'],
    help: 'Budget of a region.',
  },
  regionLeasedBytes: {
    name: 'nautilus_memory_region_leased_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'region'],
    help: 'Bytes of a region that are leased or lingering.',
  },
  poolLimitBytes: {
    name: 'nautilus_memory_pool_limit_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'pool'],
    help: 'Most bytes a pool may lease.',
  },
  poolLeasedBytes: {
    name: 'nautilus_memory_pool_leased_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'pool'],
    help: 'Bytes leased from a pool.',
  },
  poolLiveBytes: {
    name: 'nautilus_memory_pool_live_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'pool'],
    help: 'Bytes in live blocks of a pool, from the ledgers of its owners.',
  },
  containerBudgetBytes: {
    name: 'nautilus_memory_container_budget_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'container'],
    help: 'Bytes a container may lease.',
  },
  containerLiveBytes: {
    name: 'nautilus_memory_container_live_bytes',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'container'],
    help: 'Bytes in live blocks of a container.',
  },
  alertTier: {
    name: 'nautilus_memory_alert_tier',
    type: 'gauge',
    service: 'monitor',
    labels: ['host', 'scope', 'name', 'signal'],
    help: 'Tier now: 1 info, 2 warning, 3 critical, 4 emergency. No series when nothing is raised.',
  },
  alertTransitions: {
    name: 'nautilus_memory_alert_transitions_total',
    type: 'counter',
    service: 'monitor',
    labels: ['host', 'tier', 'state'],
    help: 'Steps on the alert ladders.',
  },
  samplesReceived: {
    name: 'nautilus_memory_samples_received_total',
    type: 'counter',
    service: 'monitor',
    labels: ['host'],
    help: 'Samples from an agent.',
  },
  samplesMissed: {
    name: 'nautilus_memory_samples_missed_total',
    type: 'counter',
    service: 'monitor',
    labels: ['host'],
    help: 'Samples that an agent numbered and the monitor never saw.',
  },

  agentLeases: {
    name: 'nautilus_memory_agent_leases',
    type: 'gauge',
    service: 'allocator',
    labels: ['state'],
    help: 'Leases by state.',
  },
  agentLeaseOperations: {
    name: 'nautilus_memory_agent_lease_operations_total',
    type: 'counter',
    service: 'allocator',
    labels: ['operation'],
    help: 'Leases begun, refused, expired, or ended by the death of the holder.',
  },
  agentProtocolViolations: {
    name: 'nautilus_memory_agent_protocol_violations_total',
    type: 'counter',
    service: 'allocator',
    labels: [],
    help: 'Socket peers closed for not speaking the protocol.',
  },
  agentConnections: {
    name: 'nautilus_memory_agent_connections',
    type: 'gauge',
    service: 'allocator',
    labels: [],
    help: 'Open connections on the agent socket.',
  },
  agentJournalBytes: {
    name: 'nautilus_memory_agent_journal_bytes',
    type: 'gauge',
    service: 'allocator',
    labels: [],
    help: 'Size of the lease journal.',
  },
  agentSampleSeconds: {
    name: 'nautilus_memory_agent_sample_duration_seconds',
    type: 'histogram',
    service: 'allocator',
    labels: [],
    buckets: latencyBuckets,
    help: 'Time to take one sample.',
  },

  planSeconds: {
    name: 'nautilus_memory_plan_duration_seconds',
    type: 'histogram',
    service: 'orchestrator',
    labels: [],
    buckets: latencyBuckets,
    help: 'Time to plan a host.',
  },
  plans: {
    name: 'nautilus_memory_plans_total',
    type: 'counter',
    service: 'orchestrator',
    labels: ['outcome'],
    help: 'Plans by outcome: written, unchanged, frozen, conflict.',
  },
  plannedBytes: {
    name: 'nautilus_memory_planned_bytes',
    type: 'gauge',
    service: 'orchestrator',
    labels: ['host'],
    help: 'Sum of the planned budgets.',
  },
  leader: {
    name: 'nautilus_memory_leader',
    type: 'gauge',
    service: 'every',
    labels: ['service'],
    help: '1 while this instance leads, else 0.',
  },

  jobRuns: {
    name: 'nautilus_memory_job_runs_total',
    type: 'counter',
    service: 'maintenance',
    labels: ['job', 'outcome'],
    help: 'Maintenance runs by outcome.',
  },
  jobSeconds: {
    name: 'nautilus_memory_job_duration_seconds',
    type: 'histogram',
    service: 'maintenance',
    labels: ['job'],
    buckets: latencyBuckets,
    help: 'Duration of maintenance runs.',
  },
  jobReclaimedBytes: {
    name: 'nautilus_memory_job_reclaimed_bytes_total',
    type: 'counter',
    service: 'maintenance',
    labels: ['job'],
    help: 'Bytes that maintenance gave back.',
  },

  busRequests: {
    name: 'nautilus_memory_bus_operations_total',
    type: 'counter',
    service: 'every',
    labels: ['operation'],
    help: 'What the connection to NATS did: requests, handled, overloaded, reconnects and so on.',
  },
  busConnected: {
    name: 'nautilus_memory_bus_connected',
    type: 'gauge',
    service: 'every',
    labels: [],
    help: '1 while NATS is connected, else 0.',
  },
});
