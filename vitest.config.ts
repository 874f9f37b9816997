import { defineConfig } from 'vitest/config';

// Tests run from source: the `@nautilus/source` export condition points every package at its src.
// Forks, because an addon that crashes must take down one test file and not the run; two, because
// a broker, an agent and several containers share the machine with each of them.
export default defineConfig({
  resolve: { conditions: ['@nautilus/source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['@nautilus/source', 'node', 'import', 'default'] } },
  test: {
    include: [
      '{packages,services}/*/{src,ts}/**/*.test.ts',
      '{examples,bench}/src/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { NODE_OPTIONS: '--conditions=@nautilus/source' },
  },
});
