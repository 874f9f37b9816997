/** What the README shows is what runs: its programs are the files of examples/, and both do what is said of them. */
import { readFileSync } from 'node:fs';
import { memoryPressure } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from '../support/host.ts';
import { runProgram } from '../support/spawn.ts';

const program = (name: string) => new URL(`../../examples/src/${name}`, import.meta.url);
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The file without its opening comment, as the README shows it. */
function shown(name: string): string {
  return readFileSync(program(name), 'utf8')
    .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
    .trim();
}

describe('the README', () => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());
  const environment = () => ({ NAUTILUS_NATS__SERVERS: host.nats.url, NAUTILUS_HOST__ID: 'h1' });

  for (const name of ['allocate.ts', 'watch-alerts.ts', 'publish-frames.ts']) {
    it(`shows ${name} as it is, in at most 12 lines`, () => {
      expect(readme).toContain(`\`\`\`ts\n${shown(name)}\n\`\`\``);
      expect(shown(name).split('\n').length).toBeLessThanOrEqual(12);
    });
  }

  it('has a program that allocates', async () => {
    await using run = runProgram(program('allocate.ts'), [], environment());
    expect(await run.ended).toBe(0);
    expect(run.errors()).toMatch(/1048576 bytes at \d+ of segment s-/);
    expect(host.agent.agent.table.counters.leases).toBe(1);
    expect(host.agent.agent.accounts.leasedBytes).toBe(0);
  });

  it('has a program that publishes frames', async () => {
    await using run = runProgram(program('publish-frames.ts'), [], environment());
    expect(await run.ended).toBe(0);
    expect(run.errors()).toContain('1 frame published in place');
  });

  it('has a program that hears alerts', async () => {
    await using run = runProgram(program('watch-alerts.ts'), [], environment());
    const alert = {
      alert: 'a1',
      host: 'h1',
      signal: 'memory-pressure',
      scope: { kind: 'host' as const, name: 'h1' },
      state: 'raised' as const,
      tier: 'critical' as const,
      previousTier: null,
      value: 0.91,
      threshold: 0.9,
      at: 1,
      text: 'memory of h1 is 91 % full',
      runbook: 'r',
    };
    // It subscribes when it is up; until then nobody hears, so it is said again.
    const timer = setInterval(
      () => host.bus.publish(memoryPressure, { host: 'h1', party: 'critical' }, alert),
      50,
    );
    for (let turn = 0; turn < 400 && !run.errors().includes('91 %'); turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 25));
    clearInterval(timer);
    expect(run.errors()).toContain('critical raised: memory of h1 is 91 % full');
  });
});
