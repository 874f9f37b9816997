/** What the pure parts need of the configuration, and nothing else of it. */
import type { Config, Tier } from '@nautilus/contracts';

export interface WatchSettings {
  /** Steps of the memory ladder, 0 to 1. */
  readonly memorySteps: Readonly<Record<Tier, number>>;
  readonly gap: number;
  readonly raiseHoldMs: number;
  readonly clearHoldMs: number;
  /** Of signals that are a state and no figure: they do not hover around a step, and are over when they are over. */
  readonly stateClearHoldMs: number;
  readonly sampleIntervalMs: number;
  /** A host that says nothing for longer is silent. */
  readonly silenceMs: number;
  readonly runbookUrl: string;
}

const samplesUntilSilence = 5;
const longestStateClearHoldMs = 10_000;

export function watchSettings(config: Pick<Config, 'monitor' | 'allocator'>): WatchSettings {
  const { monitor, allocator } = config;
  return {
    memorySteps: monitor.memory,
    gap: monitor.gap,
    raiseHoldMs: monitor.raise_hold,
    clearHoldMs: monitor.clear_hold,
    stateClearHoldMs: Math.min(longestStateClearHoldMs, monitor.clear_hold),
    sampleIntervalMs: allocator.sample_interval,
    silenceMs: samplesUntilSilence * allocator.sample_interval,
    runbookUrl: monitor.runbook_url,
  };
}
