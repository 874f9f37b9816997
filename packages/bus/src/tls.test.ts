/** Encrypted connections by configuration: an authority of our own, a server that asks for certificates, and strangers. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '@nautilus/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BusTls } from './bus.ts';
import { connectBus } from './connect.ts';
import { connectConfigured } from './connect-configured.ts';
import { generateServerConfig } from './server-config.ts';
import { type NatsServer, startNats } from './testing/nats-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'nautilus-tls-'));
const at = (name: string) => join(folder, name);

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
}

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  );
}

function certificate(name: string, by: string): void {
  writeFileSync(at(`${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${by}.pem`,
    '-CAkey',
    `${by}.key`,
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  );
}

const files = (ca: string, party?: string): BusTls => ({
  caFile: at(`${ca}.pem`),
  ...(party === undefined ? {} : { certFile: at(`${party}.pem`), keyFile: at(`${party}.key`) }),
});

describe('a server that speaks TLS and asks for certificates', () => {
  let nats: NatsServer;
  const url = () => nats.url.replace('nats://', 'tls://');
  const enter = (tls?: BusTls) =>
    connectBus({
      servers: url(),
      name: 'guest',
      waitOnFirstConnect: false,
      ...(tls === undefined ? {} : { tls }),
    });

  beforeAll(async () => {
    authority('ours');
    authority('theirs');
    certificate('server', 'ours');
    certificate('agent', 'ours');
    certificate('stranger', 'theirs');
    const tls = { certFile: at('server.pem'), keyFile: at('server.key'), caFile: at('ours.pem') };
    nats = await startNats({
      jetstream: true,
      config: generateServerConfig({ users: [], port: 4222, storeDir: null, tls }),
    });
  });
  afterAll(async () => {
    await nats[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('lets in who is configured with the files of our authority', async () => {
    const { nats: settings } = configSchema.parse({
      nats: {
        servers: [url()],
        tls: { ca_file: at('ours.pem'), cert_file: at('agent.pem'), key_file: at('agent.key') },
      },
    });
    const bus = await connectConfigured(settings, { name: 'agent' });
    expect(bus.state).toBe('connected');
    await bus.close();
  });

  it.each([
    ['has no certificate', () => files('ours')],
    ["has a stranger's certificate", () => files('ours', 'stranger')],
    ['does not trust the authority of the server', () => files('theirs', 'agent')],
    ['has no files at all', () => undefined],
  ])('keeps out who %s', async (_, tls) => {
    await expect(enter(tls())).rejects.toMatchObject({
      code: expect.stringMatching(/^(unavailable|permission_denied)$/),
    });
  });

  it('a file that is not there is named', async () => {
    await expect(enter({ caFile: at('nowhere.pem') })).rejects.toThrow(/nowhere\.pem/);
  });
});

it('half a pair of certificate and key is refused by the configuration', () => {
  const half = configSchema.safeParse({ nats: { tls: { cert_file: 'a.pem' } } });
  expect(half.error?.issues[0]?.message).toBe('cert_file and key_file belong together: give both or neither');
});
