/** Shows what the connection counted, at every scrape. Its counters only grow, so the differences are added. */
import type { Bus } from '@nautilus/bus';
import type { CounterSeries, GaugeSeries } from '@nautilus/kit';

export interface BusSeries {
  readonly busRequests: CounterSeries<string>;
  readonly busConnected: GaugeSeries<string>;
}

export function showBus(series: BusSeries, currentBus: () => Bus | null): () => void {
  const shown = new Map<string, number>();
  return () => {
    const bus = currentBus();
    series.busConnected.set({}, bus?.state === 'connected' ? 1 : 0);
    for (const [name, value] of Object.entries(bus?.stats ?? {})) {
      const operation = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
      series.busRequests.inc({ operation }, value - (shown.get(operation) ?? 0));
      shown.set(operation, value);
    }
  };
}
