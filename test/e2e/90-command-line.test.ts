/** Every command that asks something of a running system, typed at a real NATS with the agent and all services. */
import { PassThrough } from 'node:stream';
import { notices } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system[Symbol.asyncDispose]());

describe('nautilus status', () => {
  it('is one page with every region, pool and container', async () => {
    const { code, out } = await system.type(['status']);
    expect(code).toBe(0);
    const { shape } = system.host.agent.agent;
    for (const { name } of [...shape.regions, ...shape.pools, ...shape.containers])
      expect(out).toContain(name);
    // This machine has none of the devices that the configuration wants.
    expect(out).toMatch(/^INFO region gpu-optimized: /m);
    const sample = (await system.type(['status', '--json'])).json() as {
      sample: { host: string };
      alerts: { tier: string }[];
    };
    expect(sample.sample.host).toBe('h1');
    expect(new Set(sample.alerts.map(({ tier }) => tier))).toEqual(new Set(['info']));
  });

  it('says that a host is not there', async () => {
    const { code, err } = await system.type(['status', '--host', 'h9']);
    expect(err).toContain('host "h9"');
    expect(code).toBe(3);
  });
});

describe('nautilus explain', () => {
  it('says what a container has and why', async () => {
    const { code, out } = await eventually(
      () => system.type(['explain', 'risk-engine']),
      ({ out: text }) => text.includes('because'),
      { timeoutMs: 10_000, what: 'a plan with a reason' },
    );
    expect(code).toBe(0);
    expect(out).toMatch(/may have +\d/);
    const { budget, observed } = (await system.type(['explain', 'risk-engine', '--json'])).json() as {
      budget: { container: string; reason: string };
      observed: { container: string };
    };
    expect(budget.container).toBe('risk-engine');
    expect(budget.reason).not.toBe('');
    expect(observed.container).toBe('risk-engine');
  });

  it('names a container that is not there, and those that are', async () => {
    const { code, err } = await system.type(['explain', 'nobody']);
    expect(err).toMatch(/no container "nobody"; there are .*risk-engine/);
    expect(code).toBe(5);
  });
});

describe('nautilus alloc and free', () => {
  it('get a block, list it, give it back, and not twice', async () => {
    const got = (
      await system.type(['alloc', 'temporary', '64KiB', '--as', 'portfolio', '--json'])
    ).json() as {
      block: string;
      length: number;
    };
    expect(got.length).toBe(65_536);
    const listed = await system.type(['free', '--as', 'portfolio']);
    expect(listed.out).toContain(got.block);
    const freed = await system.type(['free', got.block], { env: { NAUTILUS_CONTAINER: 'portfolio' } });
    expect(freed).toMatchObject({ code: 0, out: expect.stringContaining('64KiB freed') });
    const again = await system.type(['free', got.block, '--as', 'portfolio']);
    expect(again).toMatchObject({ code: 5, err: expect.stringContaining('already freed') });
    expect((await system.type(['free', '--as', 'portfolio'])).out).toContain('keeps no block');
  });

  it('say why there is no more, with its own exit code', async () => {
    const { code, err } = await system.type(['alloc', 'temporary', '1TiB', '--as', 'portfolio']);
    expect(err).toMatch(/budget|limit|available/);
    expect(code).toBe(4);
    const unknown = await system.type(['alloc', 'nowhere', '4KiB', '--as', 'portfolio']);
    expect(unknown).toMatchObject({ code: 5, err: expect.stringContaining('nowhere') });
  });
});

describe('nautilus alerts', () => {
  it('has none on a quiet host', async () => {
    expect(await system.type(['alerts'])).toMatchObject({ code: 0, out: 'none is raised\n' });
  });

  it('follows what is raised, and ends with Ctrl-C', async () => {
    const interruption = new AbortController();
    let heard = '';
    const following = system.type(['alerts', '--follow', '--json'], {
      signal: interruption.signal,
      onPrint: (text) => {
        heard += text;
      },
    });
    const alert = {
      alert: 'a-1',
      host: 'h1',
      signal: 'memory-pressure',
      scope: { kind: 'container', name: 'sandbox' },
      state: 'raised',
      tier: 'critical',
      previousTier: null,
      value: 0.92,
      threshold: 0.9,
      at: 1,
      text: 'nearly full \u001b[31m',
      runbook: 'docs/guides/runbooks.md#memory-pressure',
    } as const;
    // Said again until it is heard: when the follower has subscribed is not known here.
    await eventually(
      () => {
        system.host.bus.publish(
          notices.memoryPressure,
          { host: 'h1', party: 'critical', topic: 'memory-pressure' },
          alert,
        );
        return heard;
      },
      (text) => text.includes('\n'),
      { what: 'the alert' },
    );
    interruption.abort('SIGINT');
    expect((await following).code).toBe(0);
    expect(JSON.parse(heard.split('\n')[0] ?? '')).toEqual(alert);
  });
});

describe('nautilus jobs', () => {
  it('shows the calendar and runs one', async () => {
    expect((await system.type(['jobs'])).out).toContain('clean-up');
    const { code, out } = await system.type(['jobs', 'run', 'clean-up', '--dry-run']);
    expect(out).toContain('clean-up on h1: done');
    expect(code).toBe(0);
    const { runs } = (await system.type(['jobs', '--json'])).json() as { runs: { job: string }[] };
    expect(runs.some(({ job }) => job === 'clean-up')).toBe(true);
  });

  it('names a job that is not there', async () => {
    const { code, err } = await system.type(['jobs', 'run', 'nothing']);
    expect(err).toMatch(/no job "nothing"; there are .*clean-up/);
    expect(code).toBe(5);
  });
});

describe('nautilus history', () => {
  it('lists the series and draws one', async () => {
    const { out } = await eventually(
      () => system.type(['history']),
      ({ out: text }) => text.includes('container/sandbox/leasedBytes'),
      { what: 'the first series' },
    );
    expect(out).toContain('on disk');
    const drawn = await eventually(
      () => system.type(['history', 'container/sandbox/*', '--since', '1m']),
      ({ out: text }) => /most \d/.test(text),
      { what: 'a measured step' },
    );
    expect(drawn.out).toContain('container/sandbox/leasedBytes');
  });

  it('says so when there is no such series', async () => {
    const { code, err } = await system.type(['history', 'nothing/at/all']);
    expect(err).toContain('nautilus history');
    expect(code).toBe(3);
  });
});

describe('nautilus top', () => {
  it('draws the host on a terminal, obeys keys, and leaves the terminal as it was', async () => {
    const raw: boolean[] = [];
    const keys = Object.assign(new PassThrough(), { setRawMode: (isRaw: boolean) => raw.push(isRaw) });
    let seen = '';
    const top = system.type(['top'], {
      stdin: keys as unknown as NodeJS.ReadStream,
      isTTY: true,
      env: { NO_COLOR: '1' },
      onPrint: (text) => {
        seen += text;
      },
    });
    await eventually(
      () => seen,
      (text) => text.includes('risk-engine'),
      { what: 'the first picture' },
    );
    keys.write('2');
    await eventually(
      () => seen,
      (text) => text.includes('[2 pools]') && text.includes('ml-models'),
      { what: 'the pools' },
    );
    keys.write('q');
    expect((await top).code).toBe(0);
    expect(raw).toEqual([true, false]);
    expect(seen.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });

  it('needs a terminal', async () => {
    expect(await system.type(['top'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('nautilus status'),
    });
  });
});
