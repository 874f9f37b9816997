/** A client in another language, with nothing of ours linked: it leases, maps, grants, and reads what a container granted it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Host, startHost } from '../support/host.ts';

const program = fileURLToPath(new URL('../../examples/python/read_segment.py', import.meta.url));
const hasPython = spawnSync('python3', ['-c', 'import socket, mmap; socket.CMSG_SPACE']).status === 0;
const why = hasPython ? '' : ' (skipped: no python3 with socket.recvmsg here)';

describe.skipIf(!hasPython)(`the client in Python${why}`, () => {
  let host: Host;
  let child: ChildProcess | null = null;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    await host[Symbol.asyncDispose]();
  });

  it('leases, maps and reads a granted segment through the contracts alone', async () => {
    const writer = await host.client('market-data');
    const block = await writer.pool('trading').allocate(4096);
    const view = block.view();
    for (let at = 0; at < view.length; at += 1) view[at] = at % 251;
    await block.grant('portfolio');

    const python = spawn('python3', [program, host.nats.url, 'h1', 'portfolio', block.segment, 'sandbox'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child = python;
    let errors = '';
    python.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    const lines = new Map<string, Record<string, unknown>>();
    createInterface({ input: python.stdout }).on('line', (line) => {
      const found = JSON.parse(line) as { event: string };
      lines.set(found.event, found);
    });
    const line = (event: string) =>
      eventually(
        () => lines.get(event) ?? errors,
        (seen) => typeof seen === 'object',
        { timeoutMs: 15_000, what: `"${event}" from Python` },
      );

    expect(await line('refused')).toMatchObject({ code: 'unknown_pool' });
    const expected = crc32(view);
    expect(await line('opened')).toMatchObject({ owner: false });
    // The first block of a segment begins at its offset: it is what Python sums up when that is zero.
    expect(block.offset).toBe(0);
    expect(lines.get('opened')?.['crc32']).toBe(expected);
    await line('read-only');
    expect(lines.has('wrote')).toBe(false);

    view[0] = 77;
    python.stdin.write('\n');
    expect(await line('seen')).toMatchObject({ byte: 77 });

    const leased = await line('leased');
    const reader = await host.client('sandbox');
    const opened = await reader.open(String((leased as { segment: string }).segment));
    expect(Buffer.from(opened.view(0, 5)).toString()).toBe('hello');
    await opened.close();
    python.stdin.write('\n');
    await line('done');
    if (python.exitCode === null) await once(python, 'exit');
    expect(python.exitCode, errors).toBe(0);
    await eventually(
      () => host.agent.agent.accounts.container('portfolio'),
      (account) => account.ok && account.value.leasedBytes === 0,
      { what: 'the end of its lease' },
    );
  });
});
