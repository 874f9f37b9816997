import { describe, expect, it } from 'vitest';
import type { InspectedContainer, ListedContainer } from './api.ts';
import { discover, memoryLabel, replicaLabel } from './discovery.ts';
import { EventDecoder } from './events.ts';
import { failureOfStatus, saysBusy } from './failure.ts';
import { derivedPath, memberPath } from './locate.ts';
import { OomLedger } from './oom-ledger.ts';
import { planReplica } from './replica.ts';
import { RestartHistory } from './restarts.ts';
import { readStats } from './stats.ts';
import { planUpdate } from './update-plan.ts';

const MiB = 1024 * 1024;
const id = 'c'.repeat(64);

const listed = (digit: string, name: string, more: Partial<ListedContainer> = {}): ListedContainer => ({
  Id: digit.repeat(64),
  Names: [`/${name}`],
  Labels: {},
  State: 'running',
  Created: 1,
  ...more,
});

describe('which containers are ours', () => {
  it.each([
    ['a label with a name', listed('a', 'x_1', { Labels: { [memoryLabel]: 'web' } }), ['web'], 0],
    ['an empty label', listed('a', 'web', { Labels: { [memoryLabel]: ' ' } }), ['web'], 0],
    ['a name of the configuration', listed('a', 'known'), ['known'], 0],
    ['neither', listed('a', 'other'), [], 0],
    ['a label that is no token', listed('a', 'web', { Labels: { [memoryLabel]: 'Web.1' } }), [], 1],
    ['a link of another container first', listed('a', 'x', { Names: ['/db/known', '/known'] }), ['known'], 0],
  ])('%s', (_, container, names, rejections) => {
    const { found, rejected } = discover([container], new Set(['known']));
    expect([...found.keys()]).toEqual(names);
    expect(rejected).toHaveLength(rejections);
  });

  it.each([
    ['who runs, before who stopped', { State: 'exited', Created: 1 }, { State: 'running', Created: 2 }, 'b'],
    ['the elder of two that run', { State: 'running', Created: 1 }, { State: 'paused', Created: 2 }, 'a'],
  ] as const)('of two with one name: %s', (_, one, other, winner) => {
    const Labels = { [memoryLabel]: 'web' };
    const both = [listed('a', 'one', { Labels, ...one }), listed('b', 'two', { Labels, ...other })];
    const { found, rejected } = discover(both, new Set());
    expect(found.get('web')?.id).toBe(winner.repeat(64));
    expect(rejected[0]?.reason).toMatch(/is web already; one container, one budget/);
  });
});

describe('where the cgroup of a container is', () => {
  const v1 = `9:name=systemd:/docker/${id}\n4:cpu,memory:/docker/${id}\n0::/other\n`;
  it.each([
    ['v1, beside other controllers', v1, 1, `/docker/${id}`],
    ['v2 with systemd', `0::/system.slice/docker-${id}.scope\n`, 2, `/system.slice/docker-${id}.scope`],
    ['v2, below which the container made its own', `0::/docker/${id}/init.scope\n`, 2, `/docker/${id}`],
    ['another process', `0::/docker/${'d'.repeat(64)}\n`, 2, null],
    ['a path out of a namespace', `0::/../${id}\n`, 2, null],
    ['v2 where only v1 has memory', v1, 2, null],
  ] as const)('from the kernel: %s', (_, membership, version, path) => {
    expect(memberPath(membership, version, id)).toBe(path);
  });

  it.each([
    ['cgroupfs', '', `/docker/${id}`],
    ['cgroupfs', '/tenants/a', `/tenants/a/${id}`],
    ['cgroupfs', '../../etc', null],
    ['systemd', '', `/system.slice/docker-${id}.scope`],
    ['systemd', 'a-b.slice', `/a.slice/a-b.slice/docker-${id}.scope`],
    ['systemd', 'noslice', null],
    ['none', '', null],
  ])('from the driver: %s %s', (driver, parent, path) => {
    expect(derivedPath(id, driver, parent)).toBe(path);
  });
});

describe('the three settings of an update', () => {
  it.each([
    ['nothing set: no swap', [0, 0, 0], null, 64, null, [64, 64, 0]],
    ['memory alone: Docker gave as much swap', [32, 64, 0], 32, 64, null, [64, 96, 0]],
    ['no swap stays none', [32, 32, 0], 0, 16, null, [16, 16, 0]],
    ['unlimited swap from the start', [32, -1, 0], 'max', 64, null, [64, -1, 0]],
    ['unlimited swap that the cgroup never got', [32, -1, 0], 8, 64, null, [64, 72, 0]],
    ['a reservation stays', [64, 64, 20], 0, 128, null, [128, 128, 20]],
    ['a reservation is never above the limit', [64, 64, 20], 0, 16, null, [16, 16, 16]],
    ['a wanted reservation', [64, 64, 20], 0, 128, 40, [128, 128, 40]],
    ['not below what the engine takes', [64, 64, 0], 0, 128, 1, [128, 128, 6]],
  ] as const)('%s', (_, [memory, swap, low], kernelSwap, limit, wanted, [Memory, MemorySwap, reserved]) => {
    const bytes = (mebibytes: number) => (mebibytes < 0 ? mebibytes : mebibytes * MiB);
    const stored = { Memory: bytes(memory), MemorySwap: bytes(swap), MemoryReservation: bytes(low) };
    const swapBytes = typeof kernelSwap === 'number' ? bytes(kernelSwap) : kernelSwap;
    expect(planUpdate(stored, swapBytes, bytes(limit), wanted === null ? null : bytes(wanted))).toEqual({
      Memory: bytes(Memory),
      MemorySwap: bytes(MemorySwap),
      MemoryReservation: bytes(reserved),
    });
  });
});

describe('restarts', () => {
  it('drill 6: dying at 11 s resets the back-off of Docker, and is counted all the same', () => {
    const history = new RestartHistory();
    for (let life = 0; life < 20; life += 1) {
      history.started(1_000 + life * 11_100);
      history.ended(12_000 + life * 11_100);
    }
    expect(history.nextBackoffMs(0)).toBe(100);
    expect(history.restartsSince(0)).toBe(19);
    expect(history.restartsSince(1_000 + 10 * 11_100)).toBe(10);
    expect(history.lastLifeMs).toBe(11_000);
  });

  it('dying at once doubles it up to a minute', () => {
    const history = new RestartHistory();
    const seen: number[] = [];
    for (let life = 0; life < 12; life += 1) {
      history.started(1_000 + life * 100_000);
      history.ended(1_050 + life * 100_000);
      seen.push(history.nextBackoffMs(0));
    }
    expect(seen).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  });

  it('takes the same start twice as one, and no end before its start', () => {
    const history = new RestartHistory();
    history.started(1_000);
    history.started(1_000);
    history.ended(900);
    expect([history.restartsSince(0), history.lastLifeMs]).toEqual([0, null]);
  });
});

describe('OOM kills', () => {
  it('are counted over lives, by the kernel and by events, and never twice', () => {
    const ledger = new OomLedger();
    ledger.sawCount(id, 'first', 2);
    ledger.sawEvent(id);
    ledger.sawEvent(id);
    expect(ledger.killsOf(id)).toBe(2);
    ledger.sawEvent(id); // Ended this life: the cgroup went with it.
    expect(ledger.killsOf(id)).toBe(3);
    ledger.sawCount(id, 'second', 0);
    ledger.sawCount(id, 'second', 4);
    expect(ledger.killsOf(id)).toBe(6);
    ledger.keepOnly(new Set());
    expect(ledger.killsOf(id)).toBe(0);
  });
});

describe('the event stream', () => {
  const line = `${JSON.stringify({ Action: 'die', Actor: { ID: id, Attributes: { name: 'ü' } }, timeNano: 2e9 })}\n`;
  it('is the same however it is cut', () => {
    const bytes = Buffer.from(line + line);
    for (let size = 1; size <= bytes.length; size += 1) {
      const decoder = new EventDecoder();
      const events = [];
      for (let at = 0; at < bytes.length; at += size)
        events.push(...decoder.push(bytes.subarray(at, at + size)));
      expect(events).toEqual([
        { action: 'die', id, atMs: 2_000, exitCode: null },
        { action: 'die', id, atMs: 2_000, exitCode: null },
      ]);
    }
  });

  it.each([
    ['no JSON', 'hello\n'],
    ['something else', '{"hello":1}\n'],
    ['a line without end', 'x'.repeat(1024 * 1024 + 1)],
  ])('throws %s', (_, text) => {
    expect(() => new EventDecoder().push(Buffer.from(text))).toThrow();
  });
});

describe('a replica', () => {
  const original = (HostConfig: object = {}, Labels: Record<string, string> = {}) =>
    ({
      Config: { Image: 'web:1', Hostname: 'cccc', Env: ['A=1'], Labels },
      HostConfig: { NetworkMode: 'default', Memory: MiB, ...HostConfig },
    }) as unknown as InspectedContainer;

  it('has the settings of the original, and labels and a host name of its own', () => {
    const plan = planReplica(original({}, { team: 'x', [memoryLabel]: 'web' }), 'web', 'web-r2');
    expect(plan).toEqual({
      ok: true,
      body: {
        Image: 'web:1',
        Env: ['A=1'],
        Labels: { team: 'x', [memoryLabel]: 'web-r2', [replicaLabel]: 'web' },
        HostConfig: { NetworkMode: 'default', Memory: MiB, ContainerIDFile: '' },
      },
    });
  });

  it.each([
    ['a fixed port', original({ PortBindings: { '80/tcp': [{ HostPort: '8080' }] } }), /fixed port 8080/],
    ['the network of the host', original({ NetworkMode: 'host' }), /network of the host/],
    ['another network', original({ NetworkMode: 'container:x' }), /shares the network/],
    ['a replica', original({}, { [replicaLabel]: 'first' }), /is a replica of first/],
  ])('is not made of %s', (_, container, reason) => {
    expect(planReplica(container, 'web', 'web-r2')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(reason),
    });
  });
});

describe('statistics of the engine', () => {
  it('are read as v1 names them, too, and nothing is zero because it is unknown', () => {
    const stats = { total_rss: 5, total_cache: 9, total_inactive_file: 6, total_active_file: 2 };
    const { figures, missing } = readStats({ memory_stats: { usage: 20, limit: 40, stats } }, 'why not', 100);
    expect(figures).toMatchObject({ workingSetBytes: 12, anonBytes: 5, fileBytes: null, limitBytes: 40 });
    expect(missing['fileBytes']).toMatch(/shared memory is not known/);
    const empty = readStats({ memory_stats: {} }, 'why not', 100);
    const { protections, ...rest } = empty.figures;
    expect([...Object.values(rest), ...Object.values(protections)].every((value) => value === null)).toBe(
      true,
    );
    expect(Object.keys(empty.missing)).toHaveLength(
      Object.keys(rest).length + Object.keys(protections).length,
    );
  });
});

describe('failures', () => {
  it.each([
    [500, 'device or resource busy', true],
    [500, 'unable to set memory limit to 1 (current usage: 2, peak usage: 3)', true],
    [500, 'something else', false],
    [409, 'device or resource busy', false],
  ])('%d %s: busy is %s', (status, message, isBusy) => {
    const failure = failureOfStatus(status, JSON.stringify({ message }), { method: 'POST', path: '/x' });
    expect(saysBusy(failure)).toBe(isBusy);
  });

  it('keeps what a proxy said, and not more than a person reads', () => {
    const failure = failureOfStatus(502, `<html>${'x'.repeat(9_000)}`, { method: 'GET', path: '/x' });
    expect(failure.reason).toMatch(/^GET \/x answered 502: <html>x+$/);
    expect(failure.reason.length).toBeLessThan(450);
  });
});
