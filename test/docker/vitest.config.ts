// The tests that need a Docker engine of their own, one file after the other; run.mjs says why when there can be none.
import { defineConfig } from 'vitest/config';

const conditions = ['@nautilus/source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['packages/allocator/src/runtimes/docker/testing/*.engine.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    env: { NODE_OPTIONS: '--conditions=@nautilus/source' },
  },
});
