import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createNkey, publicKeyOf } from './keys.ts';
import { generateServerConfig, type ServerConfigInput } from './server-config.ts';

const run = promisify(execFile);

/** What nats-server itself thinks of the configuration. */
async function check(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nautilus-conf-'));
  try {
    const file = join(folder, 'nats.conf');
    await writeFile(file, text);
    const { stderr } = await run(process.env['NATS_SERVER_BINARY'] ?? 'nats-server', ['-t', '-c', file]);
    return stderr;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const user = {
  name: 'agent of h1',
  nkey: createNkey().publicKey,
  publish: ['$KV.observed.h1.>', 'nautilus.v1.evt.h1.>'],
  subscribe: [],
  allowResponses: true,
};
const input: ServerConfigInput = {
  port: 4222,
  host: '127.0.0.1',
  serverName: 'n1',
  monitorPort: 8222,
  storeDir: '/data/jetstream',
  maximumFileBytes: 1024 ** 3,
  maximumMemoryBytes: 1024 ** 2,
  maximumPayloadBytes: 1024 ** 2,
  users: [user, { ...user, name: 'reader', nkey: createNkey().publicKey, publish: [], subscribe: ['>'] }],
};

describe('the generated configuration', () => {
  test('is accepted by nats-server, in full and with the least', async () => {
    expect(await check(generateServerConfig(input))).toContain('is valid');
    expect(await check(generateServerConfig({ port: 4222, storeDir: null, users: [] }))).toContain(
      'is valid',
    );
  });

  test('the check can fail', async () => {
    await expect(
      check(generateServerConfig(input).replace('authorization {', 'authorization [')),
    ).rejects.toThrow();
    const wrongKey = { ...input, users: [{ ...user, nkey: 'UNOTAKEY' }] };
    await expect(check(generateServerConfig(wrongKey))).rejects.toThrow();
  });

  test('no subjects means none, not all', () => {
    expect(generateServerConfig(input)).toContain('subscribe: { deny: [">"] }');
  });

  test('text that would break out of its quotes is refused', () => {
    const broken = { ...user, publish: ['a"] }'] };
    expect(() => generateServerConfig({ ...input, users: [broken] })).toThrow(RangeError);
  });
});

test('an nkey is a seed and the public half that belongs to it', () => {
  const key = createNkey();
  expect(key.seed).toMatch(/^SU[A-Z2-7]{56}$/);
  expect(key.publicKey).toMatch(/^U[A-Z2-7]{55}$/);
  expect(publicKeyOf(key.seed)).toBe(key.publicKey);
  expect(createNkey().seed).not.toBe(key.seed);
});
