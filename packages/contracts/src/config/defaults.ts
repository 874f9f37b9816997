/** SPEC U2, P1 and O1 as the configuration a host has when its file says nothing else. Written as people write it. */
export const defaultRegions = {
  'unified-main': { capacity: '20GiB', alignment: 64, device: 'host' },
  'gpu-optimized': { capacity: '8GiB', alignment: 512, device: 'gpu' },
  'neural-engine': { capacity: '4GiB', alignment: 256, device: 'neural-engine' },
  'cpu-cache-friendly': { capacity: '2GiB', alignment: 128, device: 'host' },
  'cross-container': { capacity: '1.5GiB', alignment: 64, device: 'host' },
  'zero-copy-buffer': { capacity: '0.5GiB', alignment: 4096, device: 'host' },
} as const;

export const defaultPools = {
  trading: {
    region: 'cpu-cache-friendly',
    strategy: 'slab',
    min: '64MiB',
    max: '1GiB',
    segment: '16MiB',
  },
  'ml-models': {
    region: 'neural-engine',
    strategy: 'buddy',
    min: '128MiB',
    max: '2GiB',
    segment: '32MiB',
  },
  analytics: { region: 'gpu-optimized', strategy: 'first_fit', min: '256MiB', max: '4GiB', segment: '32MiB' },
  websocket: {
    region: 'cpu-cache-friendly',
    strategy: 'stack',
    min: '32MiB',
    max: '256MiB',
    segment: '8MiB',
  },
  risk: {
    region: 'cpu-cache-friendly',
    strategy: 'best_fit',
    min: '64MiB',
    max: '512MiB',
    segment: '16MiB',
  },
  gpu: { region: 'gpu-optimized', strategy: 'buddy', min: '512MiB', max: '8GiB', segment: '64MiB' },
  historical: { region: 'unified-main', strategy: 'first_fit', min: '128MiB', max: '8GiB', segment: '64MiB' },
  temporary: { region: 'unified-main', strategy: 'first_fit', min: '64MiB', max: '4GiB', segment: '16MiB' },
} as const;

const other = { min: '64MiB', max: '900MiB', priority: 'low', policy: 'burstable' } as const;

export const defaultContainers = {
  'trading-engine': { min: '512MiB', max: '4GiB', priority: 'critical', policy: 'guaranteed' },
  'market-data': { min: '256MiB', max: '2GiB', priority: 'high', policy: 'burstable' },
  'analytics-engine': { min: '512MiB', max: '8GiB', priority: 'high', policy: 'adaptive' },
  'ml-engine': { min: '256MiB', max: '4GiB', priority: 'normal', policy: 'adaptive' },
  'risk-engine': { min: '256MiB', max: '2GiB', priority: 'critical', policy: 'guaranteed' },
  'websocket-engine': { min: '64MiB', max: '1GiB', priority: 'high', policy: 'burstable' },
  'order-gateway': other,
  portfolio: other,
  backtest: other,
  reporting: other,
  compliance: other,
  notification: other,
  research: other,
  archive: other,
  'api-gateway': other,
  sandbox: { ...other, priority: 'maintenance' },
} as const;
