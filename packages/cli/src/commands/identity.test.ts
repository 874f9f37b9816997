/** Identities made by hand: a real server is configured by them and holds each party to its role. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@nautilus/bus';
import { startNats } from '@nautilus/bus/testing';
import { exchanges } from '@nautilus/contracts';
import { afterAll, describe, expect, it } from 'vitest';
import { type } from '../testing/typed.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nautilus-identity-'));
afterAll(() => rmSync(cwd, { recursive: true }));

describe('nautilus identity', () => {
  it('makes a private seed and a server configuration that nats-server finds right', async () => {
    const { code, out } = await type(['identity', 'add', 'order-gateway', '--json'], { cwd });
    expect(code).toBe(0);
    const added = JSON.parse(out) as {
      seedFile: string;
      notChecked: string | null;
      identity: { nkey: string };
    };
    expect(added.notChecked).toBeNull();
    expect(statSync(added.seedFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(cwd, 'identities')).mode & 0o077).toBe(0);
    expect(out).not.toContain(readFileSync(added.seedFile, 'utf8').trim());
    await type(['identity', 'add', 'operator', '--role', 'operator'], { cwd });
    expect((await type(['identity', 'list'], { cwd })).out).toMatch(/order-gateway +container +h1 +U/);
  });

  it('is obeyed by a server: a container asks in its own name only', async () => {
    const conf = readFileSync(join(cwd, 'identities', 'nats.conf'), 'utf8');
    await using nats = await startNats({ config: conf });
    const seed = readFileSync(join(cwd, 'identities', 'order-gateway.nk'), 'utf8');
    await using bus = await connectBus({
      servers: nats.url,
      name: 'order-gateway',
      credentials: { nkeySeed: seed },
    });
    const ask = (party: string) =>
      bus.request(exchanges.describeSegments, { host: 'h1', party }, {}, { timeoutMs: 1_000 });
    await expect(ask('sandbox')).rejects.toMatchObject({ code: 'permission_denied' });
    // Nobody serves it, but it may be asked.
    await expect(ask('order-gateway')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('never replaces a seed, and names what is wrong', async () => {
    const before = readFileSync(join(cwd, 'identities', 'operator.nk'), 'utf8');
    expect(await type(['identity', 'add', 'operator'], { cwd })).toMatchObject({
      code: 4,
      err: expect.stringContaining('already'),
    });
    expect(readFileSync(join(cwd, 'identities', 'operator.nk'), 'utf8')).toBe(before);
    expect(await type(['identity', 'add', '../x'], { cwd })).toMatchObject({
      code: 2,
      err: expect.stringContaining('found "../x"'),
    });
    expect(await type(['identity', 'add', 'x', '--role', 'king'], { cwd })).toMatchObject({
      code: 2,
      err: expect.stringContaining('must be one of container'),
    });
    writeFileSync(join(cwd, 'identities', 'identities.json'), '{}');
    expect(await type(['identity', 'list'], { cwd })).toMatchObject({
      code: 6,
      err: expect.stringContaining('identities.json'),
    });
  });
});
