// The registry of allocation strategies: one line here and one in alloc/strategies.cc for each (a test
// compares them). Pure data, so that configuration and documentation can read it.

export interface StrategyEntry {
  readonly name: string;
  readonly summary: string;
}

export const strategies = {
  first_fit: {
    name: 'first_fit',
    summary: 'Lowest address that fits, found in O(log n); frees merge with their neighbours.',
  },
  stack: {
    name: 'stack',
    summary: 'Newest block is freed first; marks free everything since at once; O(1).',
  },
  buddy: {
    name: 'buddy',
    summary: 'Powers of two, split and merged; every step is bounded by the number of sizes.',
  },
} as const satisfies Record<string, StrategyEntry>;

export type StrategyName = keyof typeof strategies;
