// Tests run from source: the `@nautilus/source` export condition points every package at its src.
// Forks, because an addon that crashes must take down one test file and not the run; two, because a broker, an agent
// and several containers share the machine with each of them. What promises a time to a person (test/system) runs
// after everything else and alone.
import { defineConfig } from 'vitest/config';

const conditions = ['@nautilus/source', 'node', 'import', 'default'];
const alone = 'test/system/**/*.test.ts';

const shared = {
  pool: 'forks',
  // Real brokers and processes on a shared machine: in CI a test may fail once, and the report names it with `retry x1`.
  retry: process.env['CI'] === 'true' ? 1 : 0,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  env: { NODE_OPTIONS: '--conditions=@nautilus/source' },
} as const;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'together',
          include: [
            '{packages,services}/*/{src,ts}/**/*.test.ts',
            '{examples,bench}/src/**/*.test.ts',
            'test/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude: [alone, '**/node_modules/**', '**/dist/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { ...shared, name: 'alone', include: [alone], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
