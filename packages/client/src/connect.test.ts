import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { releaseMemory } from '@nautilus/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { FakeBus, refusal } from './testing/fake-bus.ts';
import { Rig } from './testing/rig.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nautilus-connect-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('connect', () => {
  it('answers commands on a given bus, and leaves that bus open', async () => {
    const bus = new FakeBus();
    const client = await connect({ container: 'trading-engine', bus });
    expect(client).toMatchObject({ container: 'trading-engine', host: 'h1' });
    const request = { degree: 'trim', bytes: 1, reason: 'x' };
    expect(await bus.command(releaseMemory, 'trading-engine', request)).toEqual({ releasedBytes: 0 });
    await client.close();
    expect(bus.state).toBe('connected');
  });

  it('works as its example says', async () => {
    await using rig = new Rig();
    await using client = await connect({ container: 'trading-engine', bus: rig.bus });
    using block = await client.pool('trading').allocate(4096);
    block.view().fill(1);
    await block.grant('risk-engine');
    await using reader = await connect({ container: 'risk-engine', bus: rig.bus });
    await using segment = await reader.open(block.segment);
    expect(segment.view(block.offset, 4096).every((byte) => byte === 1)).toBe(true);
  });

  it('closes what it made when the commands cannot be served', async () => {
    const bus = new FakeBus();
    bus.serve = () => Promise.reject(refusal('permission_denied'));
    await expect(connect({ container: 'trading-engine', bus })).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('refuses a seed file that is missing or competes with a seed', async () => {
    const seedFile = join(directory, 'seed');
    await expect(connect({ container: 'c', seedFile })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(seedFile),
    });
    await expect(connect({ container: 'c', seedFile, seed: 'SU' })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
