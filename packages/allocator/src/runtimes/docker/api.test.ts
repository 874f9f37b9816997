import { readFileSync } from 'node:fs';
import { systemClock } from '@nautilus/kit';
import { describe, expect, it } from 'vitest';
import { DockerApi } from './api.ts';
import { DockerConnection } from './connection.ts';
import { FakeEngine } from './testing/fake-engine.ts';

describe('the calls of the Docker API', () => {
  it('are those that the guide lists for a proxy, and no others', async () => {
    const engine = await FakeEngine.start();
    const { id } = engine.add('a', 'one');
    const made = new Set<string>();
    engine.onCall = (call) => made.add((call.split('?', 1)[0] ?? '').replace(id, '{id}'));
    const connection = new DockerConnection({ socketPath: engine.socketPath, clock: systemClock() });
    const api = new DockerApi(connection, { readMs: 1_000, lifecycleMs: 1_000 });
    const end = new AbortController();
    const settings = { Memory: 1, MemorySwap: 1, MemoryReservation: 0 };
    const calls: Record<Exclude<keyof DockerApi, symbol>, () => Promise<unknown>> = {
      info: () => api.info(),
      list: () => api.list(),
      inspect: () => api.inspect(id),
      stats: () => api.stats(id),
      events: () => api.events(end.signal),
      update: () => api.update(id, settings, 1_000),
      start: () => api.start(id),
      stop: () => api.stop(id, 1),
      restart: () => api.restart(id, 1),
      create: () => api.create('other', {}),
      remove: () => api.remove(id),
    };
    for (const call of Object.values(calls)) await call();
    end.abort();
    const guide = readFileSync(new URL('../../../../../docs/guides/docker.md', import.meta.url), 'utf8');
    const listed = [...guide.matchAll(/^\| (GET|POST|DELETE) \| (\S+) \|$/gm)].map(
      ([, how, path]) => `${how} ${path}`,
    );
    expect([...made].sort()).toEqual(listed.sort());
    await engine.close();
  });
});
