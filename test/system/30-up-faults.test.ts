/** What goes wrong around `up`: each ends with a sentence that names the thing, one JSON object, code 1, and nothing left behind. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Program } from '../support/spawn.ts';
import { type UpSite, upSite } from '../support/up.ts';

const nothing = { files: [], processes: 0 };

describe.skipIf(process.platform !== 'linux')('nautilus up', () => {
  let site: UpSite;
  beforeEach(async () => {
    site = await upSite();
  });
  afterEach(() => site.remove());

  const problemsOf = async (run: Program) => {
    const verdict = await run.line((line) => 'ok' in line, 60_000);
    expect(verdict['ok']).toBe(false);
    expect(await run.ended).toBe(1);
    return (verdict['problems'] as string[]).join('\n');
  };

  it('with a port that is taken says which, before it starts anything', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(site.ports.MONITOR, '127.0.0.1', resolve));
    await using run = site.run(['up', '--check']);
    expect(await problemsOf(run)).toContain(
      `monitor.port: 127.0.0.1:${site.ports.MONITOR} cannot be bound (in use)`,
    );
    expect(site.leftovers()).toEqual(nothing);
    squatter.close();
  });

  for (const [url, says] of [
    ['nats://127.0.0.1:1', /NATS_URL: no server answers at 127\.0\.0\.1:1 .*unset NATS_URL/],
    ['not a url', /NATS_URL: "not a url" is no address/],
    ['nats://me:secret@127.0.0.1:4222', /NATS_URL: an address with a user is not supported/],
  ] as const) {
    it(`with NATS_URL=${url.replace('secret', '…')} says what is wrong with it, and no secret`, async () => {
      await using run = site.run(['up', '--check'], { NATS_URL: url });
      const problems = await problemsOf(run);
      expect(problems).toMatch(says);
      expect(problems + run.errors()).not.toContain('secret');
      expect(site.leftovers()).toEqual(nothing);
    });
  }

  it('with a wrong configuration says variable, value and what is allowed', async () => {
    await using run = site.run(['up', '--check'], { NAUTILUS_HOST__CAPACITY: 'plenty' });
    expect(await problemsOf(run)).toMatch(/NAUTILUS_HOST__CAPACITY.*plenty.*size with a unit/);
    expect(site.leftovers()).toEqual(nothing);
  });

  it('asked to stop while it starts stops, and says so', async () => {
    await using run = site.run(['up', '--check']);
    await eventually(
      () => run.errors(),
      (text) => text.includes('NATS at'),
      { timeoutMs: 30_000, what: 'the start' },
    );
    run.process.kill('SIGTERM');
    expect(await problemsOf(run)).toContain('stopped by SIGTERM');
    expect(site.leftovers()).toEqual(nothing);
  });

  it('killed with SIGKILL takes its services along, and the next run sweeps the rest', async () => {
    const killed = site.run(['up', '--check', '--seconds', '60']);
    await eventually(
      () => killed.errors(),
      (text) => text.includes('demo started'),
      { timeoutMs: 60_000, what: 'the demo' },
    );
    await killed.stop('SIGKILL');
    // Only the broker knows nothing of its parent.
    await eventually(
      () => site.leftovers().processes,
      (count) => count <= 1,
      { timeoutMs: 30_000, what: 'the services to end' },
    );
    await using next = site.run(['up', '--check'], { NATS_URL: 'not a url' });
    await problemsOf(next);
    expect(next.errors()).toContain('removed what a killed run left');
    await eventually(
      () => site.leftovers(),
      ({ processes }) => processes === 0,
      { what: 'the broker to end' },
    );
    expect(site.leftovers()).toEqual(nothing);
  }, 120_000);
});
