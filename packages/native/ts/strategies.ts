// The registry of allocation strategies: one line here and one in alloc/strategies.cc for each (a test
// compares them). Pure data, so that configuration and documentation can read it.

export interface StrategyEntry {
  readonly name: string;
  readonly summary: string;
}

export const strategies = {
  slab: {
    name: 'slab',
    summary:
      "Fixed sizes from slabs, without a search; what is larger than a slab's largest size gets ranges of its own.",
  },
  buddy: {
    name: 'buddy',
    summary: 'Powers of two, split and merged; every step is bounded by the number of sizes.',
  },
  first_fit: {
    name: 'first_fit',
    summary: 'Lowest address that fits; frees merge with their neighbours.',
  },
  best_fit: {
    name: 'best_fit',
    summary: 'A smallest range that is enough; frees merge with their neighbours.',
  },
  stack: {
    name: 'stack',
    summary: 'Newest block is freed first; marks free everything since at once; O(1).',
  },
} as const satisfies Record<string, StrategyEntry>;

export type StrategyName = keyof typeof strategies;
