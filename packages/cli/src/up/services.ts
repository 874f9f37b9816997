/** The four services of the stack: where their process is, which port tells that they are ready, in which order they start. */
import type { Config } from '@nautilus/contracts';

export interface ServiceRow {
  readonly name: 'allocator' | 'orchestrator' | 'monitor' | 'maintenance';
  readonly packageName: string;
  /** Whose seed it uses. */
  readonly party: string;
  readonly port: number;
  readonly bind: string;
}

export function serviceRows(config: Config): readonly ServiceRow[] {
  return [
    { name: 'allocator', packageName: '@nautilus/allocator', party: 'agent', ...address(config.allocator) },
    {
      name: 'orchestrator',
      packageName: '@nautilus/orchestrator',
      party: 'orchestrator',
      ...address(config.orchestrator),
    },
    { name: 'monitor', packageName: '@nautilus/monitor', party: 'monitor', ...address(config.monitor) },
    {
      name: 'maintenance',
      packageName: '@nautilus/maintenance',
      party: 'maintenance',
      ...address(config.maintenance),
    },
  ];
}

const address = ({ port, bind }: { port: number; bind: string }) => ({ port, bind });

/** A container that the demo leaves free, for programs that a reader starts beside it. */
export const guestContainer = 'portfolio';

/** Containers of the demo: those of SPEC O1, and one that misbehaves on request. */
export const demoContainers = [
  'trading-engine',
  'market-data',
  'analytics-engine',
  'risk-engine',
  'ml-engine',
  'websocket-engine',
  'sandbox',
] as const;

/** Whoever reads frames that market-data writes. */
export const demoReaders = ['analytics-engine', 'risk-engine', 'ml-engine'] as const;

export interface Readiness {
  readonly ready: boolean;
  readonly reason: string | null;
}

/** Asks `/readyz` once. */
export async function readiness(port: number): Promise<Readiness> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) });
    const body = (await response.json()) as { reasons?: string[] };
    return { ready: response.ok, reason: response.ok ? null : (body.reasons ?? []).join('; ') };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { ready: false, reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The metrics page, or why there is none. */
export async function scrape(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}
